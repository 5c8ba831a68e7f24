"""A relative import cannot become a deleted line."""

from . import sibling


def run():
    return sibling
