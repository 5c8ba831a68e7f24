"""`slots=True` makes a second class behind the first."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: int


def run():
    return Pair(1, 2)
