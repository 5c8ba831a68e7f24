"""A top-level name that a function rebinds."""

STEPS = 0


def run():
    global STEPS
    STEPS = STEPS + 1
