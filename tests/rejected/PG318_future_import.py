"""A flag for the whole file."""

from __future__ import annotations


def run():
    return 1
