"""A flag for the whole file."""

from __future__ import division


def run():
    return 1
