"""Fits file and artifact under the cap: codes of +-1 become 0, the cheapest first, until it fits.

    candidates: |q| = 1, ordered by step^2, the squared error that zeroing costs; equal ones in the order of the artifact
    zero 8 codes for each byte too many, measure, and again until it fits;  then give back what was too much

What is measured is what counts: the program's own file and the packed artifact in decimal bytes. (The public form had its
target in MiB, 16.67 million bytes, so it found everything fitting and pruned nothing.) Under exporters with a floored step
all keys are equal, and the order is that of the tensors.

Source: openai/parameter-golf#609, #1019 (TARGET_MB); eight codes for a byte from #1334.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="selective_prune",
    summary="Zeroes the cheapest codes of one until the submission is under the cap.",
    source="openai/parameter-golf#609, #1019, #1334",
    family="quantizer",
    effect="a last resort: 6.8 % of the codes were needed to fit a twelfth layer, and broke the model (#1019's line)",
    settings=(
        Setting("prune_target_bytes", 16_000_000, "most bytes of file and artifact together", minimum=1),
        Setting("prune_names", "blocks.", "what the names of tensors with candidates begin with"),
        Setting("prune_probes", 8, "how often the artifact may be packed to measure it", minimum=2),
    ),
)


class Probe(NamedTuple):
    """Codes zeroed, and the bytes that this gave."""

    zeros: int
    size: int


class Candidates:
    """Codes of +-1, cheapest first: `order` are places in all codes of `names` laid end to end."""

    def __init__(self, encoded: dict[str, Parts], prefix: str) -> None:
        self.encoded = encoded
        self.names = [name for name, parts in encoded.items() if name.startswith(prefix) and "codes" in parts]
        keys, places, offset = [torch.zeros(0)], [torch.zeros(0, dtype=torch.int64)], 0
        for name in self.names:
            codes, step = encoded[name]["codes"], encoded[name]["step"].float()
            squares = (step * step).reshape(-1, *[1] * (codes.ndim - 1)).expand(codes.shape)
            ones = (codes.abs() == 1).flatten().nonzero()[:, 0]
            keys.append(squares.flatten()[ones])
            places.append(ones + offset)
            offset += codes.numel()
        self.order = torch.cat(places)[torch.cat(keys).argsort(stable=True)]

    def without(self, count: int) -> dict[str, Parts]:
        """The encoded tensors with the first `count` candidates zeroed."""
        places, offset, changed = self.order[:count], 0, {}
        for name in self.names:
            codes = self.encoded[name]["codes"]
            own = places[(places >= offset) & (places < offset + codes.numel())] - offset
            changed[name] = {**self.encoded[name], "codes": zeroed(codes, own)}
            offset += codes.numel()
        return {**self.encoded, **changed}


def zeroed(codes: Tensor, places: Tensor) -> Tensor:
    """A copy with zeros at these places of the flattened codes."""
    flat = codes.flatten().clone()
    flat[places] = 0
    return flat.view(codes.shape)


def next_count(low: Probe, high: Probe | None, target: int, total: int) -> int:
    """How many to zero next: eight more for each byte too many, or on the line from too few to enough."""
    if high is None:
        return min(low.zeros + 8 * (low.size - target), total)
    return low.zeros + math.ceil((low.size - target) / (low.size - high.size) * (high.zeros - low.zeros))


def fit_by_pruning(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    ledger: Ledger,
    target: int,
    prefix: str,
    probes: int,
) -> dict[str, Parts]:
    """Prune as little as a few measurements can tell; what still is too large is said in the receipt."""
    low, high = Probe(0, measure(encoded)), None
    candidates = Candidates(encoded, prefix)
    total = len(candidates.order)
    if low.size <= target:
        ledger.note("selective_prune", f"0 of {total} codes of one pruned")
        return encoded
    for _ in range(probes):
        zeros = next_count(low, high, target, total)
        if zeros in (low.zeros, high and high.zeros):
            break
        probe = Probe(zeros, measure(candidates.without(zeros)))
        low, high = (low, probe) if probe.size <= target else (probe, high)
    last = high or low
    missed = "" if high else f", still {last.size - target} bytes too many"
    ledger.note("selective_prune", f"{last.zeros} of {total} codes of one pruned{missed}")
    return candidates.without(last.zeros)


@hookimpl
def fit(settings: SettingsView) -> Component:
    """Under the contest's cap by default."""
    return Component(
        fit_by_pruning,
        target=settings.prune_target_bytes,
        prefix=settings.prune_names,
        probes=settings.prune_probes,
    )
