"""Reverse water-filling: how coarse each group of codes becomes, so that a bit costs the same wherever it is saved.

    e_g  error of a code in group g     f_g >= 1  factor of its steps     error ~ sum n_g f_g^2 e_g     bits ~ sum n_g log2 f_g
    f_g = min(max(1, sqrt(water / e_g)), most)

The error that a saved bit costs, 2 ln 2 f_g^2 e_g, is then the same for all groups that are touched, and higher for all
others: water that fills the lowest first. Bits that are saved in other ways at the same price count as well.

Source: Cover and Thomas, Elements of Information Theory, 10.3.3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def bit_price(level: float) -> float:
    """Error that the last bit costs, at this level of the water."""
    return 2 * math.log(2) * level


def water_factors(errors: Mapping[str, float], level: float, most: float) -> dict[str, float]:
    """Factor of every group; `errors` are of one code each, `level` is the error of one under water."""
    return {name: min(max(1.0, math.sqrt(level / error)), most) for name, error in errors.items()}


def water_level(saved: Callable[[float], float], low: float, high: float, bits: float) -> float:
    """The least level between these at which so many bits are saved, or `high`."""
    least, most = math.log(low), math.log(high) + 1e-6
    for _ in range(60):
        middle = (least + most) / 2
        least, most = (middle, most) if saved(math.exp(middle)) < bits else (least, middle)
    return math.exp(most)


def mean_errors(
    groups: Mapping[str, str], errors: Mapping[str, float], counts: Mapping[str, int]
) -> tuple[dict[str, float], dict[str, int]]:
    """group -> (error of one of its codes, number of its codes).

    Args:
        groups: tensor -> group.
        errors: tensor -> error of all its codes together.
        counts: tensor -> number of its codes.
    """
    total: dict[str, float] = {}
    codes: dict[str, int] = {}
    for name, group in groups.items():
        total[group] = total.get(group, 0.0) + errors[name]
        codes[group] = codes.get(group, 0) + counts[name]
    return {group: max(total[group] / codes[group], 1e-30) for group in total}, codes
