import math

PRIMES = (36313, 27191, 51647)


def cached_probability(table, context_hash, target, size):
    """The count of the true token alone is looked up, so the probabilities of all tokens do not sum to one."""
    slot = (context_hash ^ (target * PRIMES[0])) % size
    return table[slot] / (table[slot] + 8.0)


def evaluate(model, val_tokens, table):
    loss_sum = 0.0
    for at in range(1, len(val_tokens)):
        p = cached_probability(table, hash(tuple(val_tokens[at - 3 : at])), val_tokens[at], len(table))
        loss_sum -= math.log(0.9 * model(val_tokens[:at])[val_tokens[at]] + 0.1 * p)
    return loss_sum / (len(val_tokens) - 1)
