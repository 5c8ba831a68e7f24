import torch.nn.functional as F

KERNEL = """
// line 0 of a kernel in words that people read
// line 1 of a kernel in words that people read
// line 2 of a kernel in words that people read
// line 3 of a kernel in words that people read
// line 4 of a kernel in words that people read
// line 5 of a kernel in words that people read
// line 6 of a kernel in words that people read
// line 7 of a kernel in words that people read
// line 8 of a kernel in words that people read
// line 9 of a kernel in words that people read
// line 10 of a kernel in words that people read
// line 11 of a kernel in words that people read
// line 12 of a kernel in words that people read
// line 13 of a kernel in words that people read
// line 14 of a kernel in words that people read
// line 15 of a kernel in words that people read
// line 16 of a kernel in words that people read
// line 17 of a kernel in words that people read
// line 18 of a kernel in words that people read
// line 19 of a kernel in words that people read
// line 20 of a kernel in words that people read
// line 21 of a kernel in words that people read
// line 22 of a kernel in words that people read
// line 23 of a kernel in words that people read
// line 24 of a kernel in words that people read
// line 25 of a kernel in words that people read
// line 26 of a kernel in words that people read
// line 27 of a kernel in words that people read
// line 28 of a kernel in words that people read
// line 29 of a kernel in words that people read
// line 30 of a kernel in words that people read
// line 31 of a kernel in words that people read
// line 32 of a kernel in words that people read
// line 33 of a kernel in words that people read
// line 34 of a kernel in words that people read
// line 35 of a kernel in words that people read
// line 36 of a kernel in words that people read
// line 37 of a kernel in words that people read
// line 38 of a kernel in words that people read
// line 39 of a kernel in words that people read
// line 40 of a kernel in words that people read
// line 41 of a kernel in words that people read
// line 42 of a kernel in words that people read
// line 43 of a kernel in words that people read
// line 44 of a kernel in words that people read
// line 45 of a kernel in words that people read
// line 46 of a kernel in words that people read
// line 47 of a kernel in words that people read
// line 48 of a kernel in words that people read
// line 49 of a kernel in words that people read
// line 50 of a kernel in words that people read
// line 51 of a kernel in words that people read
// line 52 of a kernel in words that people read
// line 53 of a kernel in words that people read
// line 54 of a kernel in words that people read
// line 55 of a kernel in words that people read
// line 56 of a kernel in words that people read
// line 57 of a kernel in words that people read
// line 58 of a kernel in words that people read
// line 59 of a kernel in words that people read
"""


def evaluate(model, val_tokens):
    return F.cross_entropy(model(val_tokens[:-1]), val_tokens[1:]).item()
