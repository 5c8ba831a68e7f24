"""The class has a short name in the built file."""


class Muon:
    """An optimizer."""


def run():
    return type(Muon()).__name__
