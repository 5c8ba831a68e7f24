"""`vars` sees names that bundling shortens."""


def run(model=None):
    return sorted(vars(model))
