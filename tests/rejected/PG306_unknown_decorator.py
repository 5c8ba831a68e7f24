"""A decorator runs unknown code while the module is imported."""

import atexit


@atexit.register
def run():
    return 1
