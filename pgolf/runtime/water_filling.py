"""Reverse water-filling: how coarse each group of codes becomes, so that a bit costs the same wherever it is saved.

    e_g  error of a code in group g     f_g >= 1  factor of its steps     error ~ sum n_g f_g^2 e_g     bits ~ sum n_g log2 f_g
    f_g = min(max(1, sqrt(water / e_g)), most)

The error that a saved bit costs, 2 ln 2 f_g^2 e_g, is then the same for all groups that are touched, and higher for all
others: water that fills the lowest first.

Source: Cover and Thomas, Elements of Information Theory, 10.3.3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def water_factors(errors: Mapping[str, float], counts: Mapping[str, int], bits: float, most: float) -> dict[str, float]:
    """Factor of every group, so that together they save so many bits, or as many as there can be."""
    low, high = math.log(min(errors.values())), math.log(most * most * max(errors.values())) + 1e-6
    factors = dict.fromkeys(errors, 1.0)
    for _ in range(60):
        level = (low + high) / 2
        factors = {name: min(max(1.0, math.exp((level - math.log(error)) / 2)), most) for name, error in errors.items()}
        saved = sum(counts[name] * math.log2(factor) for name, factor in factors.items())
        low, high = (level, high) if saved < bits else (low, level)
    return factors


def group_factors(
    groups: Mapping[str, str], errors: Mapping[str, float], counts: Mapping[str, int], bits: float, most: float
) -> dict[str, float]:
    """Factor of every tensor, the same within a group.

    Args:
        groups: tensor -> group.
        errors: tensor -> error of all its codes together.
        counts: tensor -> number of its codes.
        bits: to be saved by all of them.
        most: largest factor.
    """
    total: dict[str, float] = {}
    codes: dict[str, int] = {}
    for name, group in groups.items():
        total[group] = total.get(group, 0.0) + errors[name]
        codes[group] = codes.get(group, 0) + counts[name]
    means = {group: max(total[group] / codes[group], 1e-30) for group in total}
    factors = water_factors(means, codes, bits, most)
    return {name: factors[group] for name, group in groups.items()}
