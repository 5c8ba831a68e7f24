"""A constant that differs from import to import."""

import random

SEED = random.random()


def run():
    return SEED
