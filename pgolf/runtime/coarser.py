"""How much coarser clips have to be for so many bytes: a search along the line through what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from pgolf.runtime.ranks import with_ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgolf.contracts.quantizer import Parts, Requantize
    from pgolf.runtime.levers import Levers

FACTOR = "clip_factor"  # the statistic that a tensor's clips are multiplied by
CLOSE = 0.001


class Trial(NamedTuple):
    """Bits that were to be saved, factors and ranks for it, what they give, and its bytes."""

    bits: float
    factors: dict[str, float]
    ranks: dict[str, int]
    encoded: dict[str, Parts]
    size: int


def search_clips(
    first: Trial,
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    levers: Levers,
    target: int,
    probes: int,
    correction: str,
) -> Trial:
    """The finest trial that fits, or the coarsest where none does."""
    low, high, bits = first, None, 8.0 * (first.size - target)
    for _ in range(probes):
        factors, ranks = levers.save(bits)
        coarse = {name: {FACTOR: torch.tensor(factor)} for name, factor in factors.items() if factor > 1}
        encoded = {**first.encoded, **{name: requantize.encode(name, more) for name, more in coarse.items()}}
        encoded = with_ranks(encoded, correction, ranks)
        trial = Trial(bits, factors, ranks, encoded, measure(encoded))
        low, high = (low, trial) if trial.size <= target else (trial, high)
        if (1 - CLOSE) * target < trial.size <= target or (high is None and levers.at_limit(factors)):
            break
        # On the line through two measurements, one on each side of the target where there are.
        a, b = (first, low) if high is None else (low, high)
        bits = a.bits + (a.size - target * (1 - CLOSE / 2)) / max(a.size - b.size, 1) * (b.bits - a.bits)
    return high or low


def changes(levers: Levers, best: Trial, each: str, requantize: Requantize, correction: str) -> str:
    """What was done, and what it costs."""
    factors = [factor for factor in best.factors.values() if factor > 1]
    by_group = {group: best.factors[name] for name, group in levers.groups.items()} if each == "class" else {}
    listed = "".join(f", {group} {factor:.3f}" for group, factor in by_group.items())
    columns = sum(len(found.errors) - 1 for found in levers.columns.values())
    left = f", {sum(best.ranks.values())} of {columns} columns of {correction} left" if columns else ""
    mended = requantize.correct({name: best.encoded[name] for name in levers.errors})
    after = sum(requantize.error(*item) for item in mended.items()) / max(sum(levers.errors.values()), 1e-30)
    done = f"{len(factors)} of {len(best.factors)} matrices up to {max(factors, default=1.0):.3f} times as coarse"
    return f"{done}{listed}{left}, weighted error {after:.3f} times as large"
