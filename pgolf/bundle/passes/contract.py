"""What a pass is: a change of the whole program that keeps what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pgolf.bundle.program import Program


@dataclass(frozen=True)
class Pass:
    """One pass.

    Attributes:
        name: what errors, `--stop-after` and the docs call it.
        run: changes the program in place.
        requires: what must hold before, in one sentence.
        ensures: what holds after, in one sentence.
    """

    name: str
    run: Callable[[Program], None]
    requires: str
    ensures: str
