"""Fits file and artifact under the cap by coarser steps, where a byte costs the least error; codes of +-1 go last.

    f_t = min(max(1, sqrt(water / e_t)), fit_most_coarse)     e_t  error of tensor t weighted by its Hessian, for each code

Tensors have factors of their own, or with fit_factor_per = "class" all of a class in the layers have one, which can be put into
a recipe as mlp_clip_sigmas and attn_clip_sigmas. A tensor's clip and its bits are one knob. The level of the water follows from
the bits that are wanted, and these from measured bytes: a guess by the size model, then the line through the measurements. What
still is too many is pruned. The receipt says what was done, and what it does to the weighted error.

Source: reverse water-filling (Cover and Thomas, Elements of Information Theory, 10.3.3); pruning openai/parameter-golf#609.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.prune import prune_ones
from pgolf.runtime.water_filling import group_factors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Parts, Requantize
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fit_clips",
    summary="Coarser clips where they cost the least, until the submission is under the cap.",
    source="openai/parameter-golf#609, #1394",
    family="quantizer",
    requires=("sdclip",),
    effect="lands within a thousandth of the target after two or three packings",
    settings=(
        Setting("fit_target_bytes", 15_995_000, "most bytes of file and artifact together", minimum=1),
        Setting("fit_most_coarse", 2.0, "the largest factor of a clip", minimum=1.0),
        Setting("fit_factor_per", "tensor", "what has a factor of its own", choices=("tensor", "class")),
        Setting("fit_probes", 4, "how often the artifact may be packed to measure it, and again to prune", minimum=2),
    ),
)
FACTOR = "clip_factor"
CLOSE = 0.001


def factor_clips(weight: Tensor, clip: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Tensor:
    """The clips (rows,) times the factor of the tensor, where `fit` has one."""
    if FACTOR in statistics:
        clip = clip * statistics[FACTOR].to(clip.device)
    return clip


def group_of(name: str, each: str) -> str:
    """Whose clips change together: a tensor alone, or all of a class in the layers, such as "mlp"."""
    alone = each == "tensor" or not name.startswith("blocks.")
    return name if alone else name.split(".")[2]


class Trial(NamedTuple):
    """Bits that were to be saved, the factors for it, what they give, and its bytes."""

    bits: float
    factors: dict[str, float]
    encoded: dict[str, Parts]
    size: int


def next_bits(first: Trial, low: Trial, high: Trial | None, goal: float) -> float:
    """On the line through two measurements, one on each side of the goal where there are."""
    a, b = (first, low) if high is None else (low, high)
    return a.bits + (a.size - goal) / max(a.size - b.size, 1) * (b.bits - a.bits)


def search_clips(
    first: Trial,
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    fill: Callable[[float], dict[str, float]],
    target: int,
    most: float,
    probes: int,
) -> Trial:
    """The finest trial that fits, or the coarsest where none does; `fill` gives factors that save so many bits."""
    low, high, bits = first, None, 8.0 * (first.size - target)
    for _ in range(probes):
        factors = fill(bits)
        coarse = {name: {FACTOR: torch.tensor(factor)} for name, factor in factors.items() if factor > 1}
        encoded = {**first.encoded, **{name: requantize.encode(name, more) for name, more in coarse.items()}}
        trial = Trial(bits, factors, encoded, measure(encoded))
        low, high = (low, trial) if trial.size <= target else (trial, high)
        if (1 - CLOSE) * target < trial.size <= target or (high is None and min(factors.values()) == most):
            break
        bits = next_bits(first, low, high, target * (1 - CLOSE / 2))
    return high or low


def fit_by_clips(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    ledger: Ledger,
    target: int,
    most: float,
    each: str,
    probes: int,
) -> dict[str, Parts]:
    """As coarse as needed and no coarser, as far as a few measurements can tell."""
    names = [name for name, parts in encoded.items() if "codes" in parts and parts["codes"].ndim == 2]
    first = Trial(0.0, dict.fromkeys(names, 1.0), encoded, measure(encoded))
    if first.size <= target or not names:
        # Without the size, which the program's own file is part of: live and built have one receipt.
        ledger.note("fit_clips", f"target of {target} bytes: nothing changed")
        return encoded
    counts = {name: encoded[name]["codes"].numel() for name in names}
    before = {name: requantize.error(name, encoded[name]) for name in names}
    groups = {name: group_of(name, each) for name in names}
    fill = functools.partial(group_factors, groups, before, counts, most=most)
    best = search_clips(first, measure, requantize, fill, target, most, probes)
    after = sum(requantize.error(name, best.encoded[name]) for name in names)
    factors = [factor for factor in best.factors.values() if factor > 1]
    by_group = {groups[name]: factor for name, factor in best.factors.items()} if each == "class" else {}
    listed = "".join(f", {group} {factor:.3f}" for group, factor in by_group.items())
    fitted, pruned = prune_ones(best.encoded, measure, best.size, target, "blocks.", probes)
    done = f"{len(factors)} of {len(names)} matrices up to {max(factors, default=1.0):.3f} times as coarse{listed}"
    cost = f"weighted error {after / max(sum(before.values()), 1e-30):.3f} times as large"
    ledger.note("fit_clips", f"{first.size} -> {best.size} bytes of {target}: {done}, {cost}; {pruned}")
    return fitted


@hookimpl
def clip_taps(settings: SettingsView) -> Component:
    """Of every recipe that takes clip taps."""
    return Component(factor_clips)


@hookimpl
def fit(settings: SettingsView) -> Component:
    """A little under the contest's cap by default."""
    return Component(
        fit_by_clips,
        target=settings.fit_target_bytes,
        most=settings.fit_most_coarse,
        each=settings.fit_factor_per,
        probes=settings.fit_probes,
    )
