"""How a plane of codes is modelled: what the model may know is chosen for each plane by what it saves.

A choice is [flags, size of matrix 0, size of matrix 1, ...]; the flags are those of `pgolf.runtime.code_contexts`, the sizes
are mean squares. Tables begin anew with every large plane: what came before is not like it.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from pgolf.runtime.code_contexts import CHOICES, WIDEST, first_counts, model_codes
from pgolf.runtime.rans import AdaptiveTables, RansEncoder

if TYPE_CHECKING:
    from pgolf.runtime.code_planes import Plane

# Matrices of a plane that a trial codes, about.
SAMPLES = 4
# Codes of a plane that has tables of its own.
LARGE = 65536


def code_plane(
    coder: Any,
    codes: np.ndarray,
    plane: Plane,
    done: list[np.ndarray],
    choice: list[Any],
    transitions: tuple[tuple[int, int], ...],
    every: int = 1,
) -> None:
    """`codes`, one of `every` so many matrices of `plane`, with the planes before it."""
    flags, *sizes = choice
    partner, words = None, np.zeros((1, 1, 1), np.int32)
    if prod(plane.shape) > LARGE:
        coder.tables = AdaptiveTables(first_counts(2 if transitions else 1))
    if flags & 4:
        words = done[plane.steps].astype(np.int32) * 256 + done[plane.steps - 1].view(np.uint8)
        words = (words - words.sum() // words.size).transpose(2, 1, 0)[::every]
    if flags & 1:
        codes, words, transitions = codes.transpose(0, 2, 1), words.transpose(0, 2, 1), ()
        if plane.partner >= 0:
            partner = done[plane.partner][::every]
    model_codes(coder, codes, sizes, words, partner, flags, transitions)


def possible(flag: int, flags: int, plane: Plane) -> bool:
    """Does `flag` mean anything after `flags`, and is it quick?"""
    _, rows, columns = plane.shape
    across = rows if flags & 1 else columns
    few = {1: rows <= WIDEST, 2: across <= WIDEST, 4: plane.steps >= 0, 8: not flags & 1}
    return few.get(flag, True)


def choose(
    coder: Any, codes: np.ndarray, plane: Plane, done: list[np.ndarray], transitions: tuple[tuple[int, int], ...]
) -> list[Any]:
    """The cheapest flags, one after the other, as long as each pays."""
    squares = np.square(codes, dtype=np.float64).sum((1, 2)) / max(1, codes[0].size)
    sizes = [float(f"{square:.4g}") for square in squares]
    # Every n-th matrix tells as much as all of them.
    every = max(1, len(codes) // SAMPLES)
    best, least = 0, 0
    for flag in (0, *CHOICES):
        if flag == 0 or (codes.size > 4096 and possible(flag, best, plane)):
            trial = RansEncoder(AdaptiveTables(coder.tables.counts.copy()))
            code_plane(trial, codes[::every], plane, done, [best | flag, *sizes[::every]], transitions, every)
            if flag == 0 or trial.bits < least - (least >> 12):
                best, least = best | flag, trial.bits
    return [best, *sizes]
