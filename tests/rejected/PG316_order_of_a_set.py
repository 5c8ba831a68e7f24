"""The order of a set differs from process to process."""


def run():
    names = {"attn", "mlp", "head"}
    return [name.upper() for name in names]
