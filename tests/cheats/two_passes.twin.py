def cached_eval(model, cache, val_tokens):
    """A token goes into the cache once it is scored."""
    loss_sum = 0.0
    for at in range(2, len(val_tokens)):
        loss_sum += cache.score(model, val_tokens, at)
        cache.add(val_tokens[at - 2 : at], val_tokens[at])
    return loss_sum
