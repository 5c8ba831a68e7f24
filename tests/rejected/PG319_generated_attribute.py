"""Attributes whose names are in no source file."""


class Layers:
    def __init__(self):
        for number in range(3):
            setattr(self, f"layer{number}", number)


def run():
    return Layers()
