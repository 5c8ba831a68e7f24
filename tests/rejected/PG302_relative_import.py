"""A relative import needs a package around the module."""

from . import sibling


def run():
    return sibling
