"""Python 3.12 may print this with quotes that Python 3.11 cannot read."""


def run(sizes=None):
    return f"{1.5:{sizes['width']}.{sizes['digits']}f}"
