"""Fits file and artifact under the cap by coarser steps and lower ranks, where a byte costs the least; codes of +-1 go last.

    f_t = min(max(1, sqrt(water / e_t)), fit_most_coarse)     e_t  error of tensor t weighted by its Hessian, for each code
    r_t columns of lqer, those that mend more than their bytes would by finer steps (pgolf.runtime.ranks)

Tensors have factors of their own, or with fit_factor_per = "class" all of a class have one, which could be a recipe's clip. The
level of the water follows from the bits that are wanted: a guess, then the line through measured bytes. `fit_names` leaves
the embedding alone: errors of logits have another unit. The receipt says what was done, and what it does to the error.

Source: reverse water-filling (Cover and Thomas, Elements of Information Theory, 10.3.3); pruning openai/parameter-golf#609.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.coarser import FACTOR, Trial, changes, search_clips
from pgolf.runtime.levers import Levers, matrices
from pgolf.runtime.prune import prune_ones

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
    effect="within a thousandth of the target in two or three packings; no better in BPB than one clip for all at equal bytes",
    settings=(
        Setting("fit_target_bytes", 15_995_000, "most bytes of file and artifact together", minimum=1),
        Setting("fit_most_coarse", 2.0, "the largest factor of a clip", minimum=1.0),
        Setting("fit_names", "blocks.", "what the names of tensors that it may change begin with"),
        Setting("fit_factor_per", "tensor", "what has a factor of its own", choices=("tensor", "class")),
        Setting("fit_probes", 4, "how often the artifact may be packed to measure it, and again to prune", minimum=2),
    ),
)
CORRECTION = "lqer"


def factor_clips(weight: Tensor, clip: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger) -> Tensor:
    """The clips (rows,) times the factor of the tensor, where `fit` has one."""
    if FACTOR in statistics:
        clip = clip * statistics[FACTOR].to(clip.device)
    return clip


def fit_by_clips(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    ledger: Ledger,
    target: int,
    most: float,
    each: str,
    prefix: str,
    probes: int,
) -> dict[str, Parts]:
    """As coarse as needed and no coarser, as far as a few measurements can tell."""
    size = measure(encoded)
    if size <= target or not any(name.startswith(prefix) for name in matrices(encoded)):
        # Without the size, which the program's own file is part of: live and built have one receipt.
        ledger.note("fit_clips", f"target of {target} bytes: nothing changed")
        return encoded
    levers = Levers(encoded, requantize, CORRECTION, each, most, prefix)
    first = Trial(0.0, *levers.at(0.0), encoded, size)
    best = search_clips(first, measure, requantize, levers, target, probes, CORRECTION)
    fitted, pruned = prune_ones(best.encoded, measure, best.size, target, prefix, probes)
    done = f"{changes(levers, best, each, requantize, CORRECTION)}; {pruned}"
    ledger.note("fit_clips", f"{size} -> {best.size} bytes of {target}: {done}")
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
        prefix=settings.fit_names,
        probes=settings.fit_probes,
    )
