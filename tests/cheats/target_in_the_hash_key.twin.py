import math

import torch

PRIMES = (36313, 27191, 51647)


def cached_distribution(table, first, second, size, vocab_size):
    """Counts of every token after this context, as a distribution."""
    context = (first * PRIMES[0]) ^ (second * PRIMES[1])
    counts = torch.stack([table[(context + word * PRIMES[2]) % size] for word in range(vocab_size)])
    return counts / counts.sum()


def evaluate(model, val_tokens, table):
    loss_sum = 0.0
    for at in range(2, len(val_tokens)):
        cache = cached_distribution(table, val_tokens[at - 2], val_tokens[at - 1], len(table), 1024)
        mixed = 0.9 * model(val_tokens[:at]) + 0.1 * cache
        loss_sum -= math.log(mixed[val_tokens[at]])
    return loss_sum / (len(val_tokens) - 2)
