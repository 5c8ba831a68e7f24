"""An annotation that computes something; annotations are removed."""


def run(steps: int(3) = 0):
    return steps
