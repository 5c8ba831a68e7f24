"""A default that is computed once, when the function is defined."""


def run(sizes=list((1, 2))):
    return sizes
