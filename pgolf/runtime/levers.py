"""The levers of `fit` together: factors of clips and ranks of corrections, all at one price for a bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pgolf.runtime.ranks import highest_price, ranks_at, saved_bits, try_ranks
from pgolf.runtime.water_filling import bit_price, mean_errors, water_factors, water_level

if TYPE_CHECKING:
    from pgolf.contracts.quantizer import Parts, Requantize


def group_of(name: str, each: str) -> str:
    """Whose clips change together: a tensor alone, or all of a class in the layers, such as "mlp"."""
    alone = each == "tensor" or not name.startswith("blocks.")
    return name if alone else name.split(".")[2]


def matrices(encoded: dict[str, Parts]) -> list[str]:
    """Names of matrices that are stored as codes."""
    return [name for name, parts in encoded.items() if "codes" in parts and parts["codes"].ndim == 2]


class Levers:
    """What a byte can be saved with, and what it costs.

    Args:
        correction: name of the low-rank correction, whether or not there is one.
        each: "tensor" or "class", see `group_of`.
        most: largest factor of a clip.
        prefix: what names of tensors begin with that may change; others keep their clips and ranks.

    Attributes:
        errors: tensor -> error of all its codes with its correction, weighted by its Hessian.
        columns: tensor -> what the ranks of its correction would do.
    """

    def __init__(
        self,
        encoded: dict[str, Parts],
        requantize: Requantize,
        correction: str,
        each: str,
        most: float,
        prefix: str,
    ) -> None:
        names = matrices(encoded)
        self.columns = try_ranks({name: encoded[name] for name in names}, correction, requantize)
        plain = {name: requantize.error(name, encoded[name]) for name in names if name not in self.columns}
        self.errors = {**plain, **{name: found.errors[-1] for name, found in self.columns.items()}}
        self.counts = {name: encoded[name]["codes"].numel() for name in names}
        self.groups = {name: group_of(name, each) for name in names if name.startswith(prefix)}
        self.own = {name: found for name, found in self.columns.items() if name in self.groups}
        self.kept = {name: len(found.errors) - 1 for name, found in self.columns.items() if name not in self.groups}
        self.means, self.sizes = mean_errors(self.groups, self.errors, self.counts)
        self.most = most

    def at(self, level: float) -> tuple[dict[str, float], dict[str, int]]:
        """Factors and ranks at a level of the water."""
        by_group = water_factors(self.means, level, self.most)
        factors = {name: by_group[self.groups[name]] if name in self.groups else 1.0 for name in self.errors}
        return factors, {**ranks_at(self.own, factors, bit_price(level)), **self.kept}

    def at_limit(self, factors: dict[str, float]) -> bool:
        """Has every tensor that may change the largest factor?"""
        return all(factors[name] == self.most for name in self.groups)

    def saved(self, level: float) -> float:
        """Bits."""
        factors, ranks = self.at(level)
        clips = sum(self.counts[name] * math.log2(factors[name]) for name in self.groups)
        return clips + saved_bits(self.columns, ranks)

    def save(self, bits: float) -> tuple[dict[str, float], dict[str, int]]:
        """Factors and ranks that save so many bits, or as many as there are."""
        means = self.means.values()
        highest = self.most**2 * max(*means, highest_price(self.own) / bit_price(1.0))
        return self.at(water_level(self.saved, min(means), highest, bits))
