"""How a plane of codes is modelled: what the model may know is chosen for each plane by what it saves.

A choice is [flags, size of matrix 0, size of matrix 1, ...]; the flags are those of `pgolf.runtime.code_contexts`, the sizes in
quarters of an octave of the mean square.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from pgolf.runtime.code_contexts import CHOICES, WIDEST, model_codes, quarter_octaves
from pgolf.runtime.rans import Estimator

if TYPE_CHECKING:
    from pgolf.runtime.code_planes import Plane

# Matrices of a plane that a trial codes, about.
SAMPLES = 4


def code_plane(
    coder: Any,
    number: int,
    plane: Plane,
    done: list[np.ndarray],
    choice: list[int],
    transitions: tuple[tuple[int, int], ...],
) -> None:
    """The plane at `number` of `done`, with the planes before it; `choice` is flags and what size each matrix has."""
    flags, *sizes = choice
    codes, partner, spread = done[number], None, np.zeros((1, 1, 1), np.int8)
    if flags & 4:
        spread = done[plane.steps].transpose(2, 1, 0)
    if flags & 1:
        codes, spread = codes.transpose(0, 2, 1), spread.transpose(0, 2, 1)
        partner, transitions = done[plane.partner] if plane.partner >= 0 else None, ()
    model_codes(coder, codes, np.array(sizes), spread, plane.low, partner, flags, transitions)


def possible(flag: int, flags: int, plane: Plane) -> bool:
    """Does `flag` mean anything after `flags`, and is it quick?"""
    _, rows, columns = plane.shape
    across = rows if flags & 1 else columns
    few = {1: rows <= 1024, 2: across <= WIDEST, 8: flags & 2 > 0, 4: plane.steps >= 0}
    return int(np.prod(plane.shape)) > 4096 and few.get(flag, True)


def choose(
    coder: Any, number: int, plane: Plane, done: list[np.ndarray], transitions: tuple[tuple[int, int], ...]
) -> list[int]:
    """The cheapest flags, one after the other, as long as each pays."""
    squares = np.square(done[number], dtype=np.float64).sum((1, 2)) / (plane.shape[1] * plane.shape[2])
    sizes = quarter_octaves(squares).tolist()
    # Every n-th matrix tells as much as all of them.
    some = slice(None, None, max(1, len(squares) // SAMPLES))
    few = list(done)
    few[number] = done[number][some]
    if plane.partner >= 0:
        few[plane.partner] = done[plane.partner][some]
    if plane.steps >= 0:
        few[plane.steps] = done[plane.steps][:, :, some]
    best, least = 0, 0
    for flag in (0, *CHOICES):
        if flag == 0 or possible(flag, best, plane):
            trial = Estimator(copy.deepcopy(coder.tables))
            code_plane(trial, number, plane, few, [best | flag, *sizes[some]], transitions)
            # What gains less than a two-thousandth is not worth its time in decoding.
            if flag == 0 or trial.bits < least - (least >> 11):
                best, least = best | flag, trial.bits
    return [best, *sizes]
