"""Python 3.12 may print this with quotes that Python 3.11 cannot read."""


def run(names=("a", "b")):
    return f"names: {', '.join(names)}"
