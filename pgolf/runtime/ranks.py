"""Ranks of low-rank corrections as a lever of `fit`: columns go where they mend less than their bytes are worth elsewhere.

    r_t = argmin_r  f_t^2 E_t(r) + price b_t(r)      E_t(r)  error of tensor t with r columns, weighted by its Hessian
                                                     b_t(r)  bits of r columns     f_t  how much coarser the codes become

A correction is the best in the plain norm, so E_t need not fall with every column, nor is it convex: all ranks are tried.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pgolf.contracts.quantizer import Parts, Requantize


class Columns(NamedTuple):
    """What ranks 0, 1, ... of one tensor's correction leave of its error, and the bits of one column."""

    errors: list[float]
    bits: float


def with_ranks(encoded: dict[str, Parts], correction: str, ranks: Mapping[str, int]) -> dict[str, Parts]:
    """`encoded` with what the correction is told: these ranks, and nothing for any other tensor."""
    told = {name: {**encoded[name], f"{correction}.rank": torch.tensor(rank)} for name, rank in ranks.items()}
    return {**encoded, **told}


def try_ranks(encoded: dict[str, Parts], correction: str, requantize: Requantize) -> dict[str, Columns]:
    """What every rank up to the correction's own would do, for the tensors that it has chosen."""
    prefix = correction + "."
    whole = {name: parts for name, parts in requantize.correct(encoded).items() if prefix + "a" in parts}
    chosen = {name: encoded[name] for name in whole}
    full = {name: parts[prefix + "a"].shape[1] for name, parts in whole.items()}
    errors: dict[str, list[float]] = {name: [] for name in chosen}
    for rank in range(max(full.values(), default=-1) + 1):
        ranks = {name: min(rank, most) for name, most in full.items()}
        trial = requantize.correct(with_ranks(chosen, correction, ranks))
        for name in chosen:
            if rank <= full[name]:
                errors[name].append(requantize.error(name, trial[name]))
    return {name: Columns(errors[name], column_bits(parts, prefix) / full[name]) for name, parts in whole.items()}


def column_bits(parts: Parts, prefix: str) -> float:
    """Bits of a correction's parts: codes by how many different ones there are, anything else as it is."""
    bits = 0.0
    for key, value in parts.items():
        if key.startswith(prefix):
            plain = value.is_floating_point()
            bits += value.numel() * (8 * value.element_size() if plain else math.log2(max(len(value.unique()), 2)))
    return bits


def ranks_at(columns: Mapping[str, Columns], factors: Mapping[str, float], price: float) -> dict[str, int]:
    """The cheapest rank of every tensor, the larger of equal ones."""
    chosen = {}
    for name, (errors, bits) in columns.items():
        costs = [factors[name] ** 2 * error + price * rank * bits for rank, error in enumerate(errors)]
        chosen[name] = max(range(len(costs)), key=lambda rank: (-costs[rank], rank))
    return chosen


def saved_bits(columns: Mapping[str, Columns], ranks: Mapping[str, int]) -> float:
    """Of the columns that are left out."""
    return sum((len(columns[name].errors) - 1 - rank) * columns[name].bits for name, rank in ranks.items())


def highest_price(columns: Mapping[str, Columns]) -> float:
    """At which no column is worth its bits, as long as codes are as they are."""
    return max((max(found.errors) / max(found.bits, 1.0) for found in columns.values()), default=0.0)
