"""Fits file and artifact to the cap by the price of a bit: all steps of `sensitivity` become coarser, or finer, together.

    price <- price 2^x      size(x) ~ size(0) - codes x / 16 bytes      x by that model, then by the line through two sizes

At one price a bit costs the loss the same everywhere, so no other change of the steps saves the same bytes for less. Bytes that
are left over are spent. `fit_price_probes` packings at most; kept is the finest that fits, or the coarsest where none does.

Source: reverse water-filling (Cover and Thomas, 10.3.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.levers import matrices

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgolf.contracts.quantizer import Parts, Requantize
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="fit_price",
    summary="One price of a bit, found on measured bytes: steps of sensitivity coarser or finer until the target is met.",
    source="Cover and Thomas 10.3.3",
    family="quantizer",
    requires=("sensitivity",),
    settings=(
        Setting("fit_target_bytes", 15_995_000, "most bytes of file and artifact together", minimum=1),
        Setting("fit_price_probes", 5, "how often the artifact may be packed to measure it", minimum=2),
    ),
)
# As `sensitivity` reads it among the statistics.
PRICE = "price_factor"
CLOSE = 0.001
OCTAVES = 10.0


def fit_by_price(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    ledger: Ledger,
    target: int,
    probes: int,
) -> dict[str, Parts]:
    """Tensors encoded again at the price whose bytes come closest below the target."""
    names = matrices(encoded)
    codes = sum(encoded[name]["codes"].numel() for name in names)
    if not codes:
        ledger.note("fit_price", "no matrix has codes: nothing changed")
        return encoded
    goal = target * (1 - CLOSE / 2)
    # (x, size, encoded) that are too large, and that fit; the model's slope stands in for whichever is missing.
    tried = [(0.0, measure(encoded), encoded)]
    for _ in range(probes - 1):
        large = max((trial for trial in tried if trial[1] > target), key=lambda trial: trial[0], default=None)
        small = min((trial for trial in tried if trial[1] <= target), key=lambda trial: trial[0], default=None)
        if small and (small[1] > (1 - CLOSE) * target or small[0] == -OCTAVES):
            break
        x, size, _ = small or large or tried[0]
        slope = -codes / 16
        if large and small:
            slope = min((small[1] - large[1]) / (small[0] - large[0]), -1e-9)
        # What still is too large after two steps by the model does not follow it.
        x = OCTAVES if len(tried) > 2 and not small else min(max(x + (goal - size) / slope, -OCTAVES), OCTAVES)
        if any(x == trial[0] for trial in tried):
            break
        more = {PRICE: torch.tensor(2.0**x)}
        made = {**encoded, **{name: requantize.encode(name, more) for name in names}}
        tried.append((x, measure(made), made))
    fits = [trial for trial in tried if trial[1] <= target]
    x, _, best = min(fits, key=lambda trial: trial[0]) if fits else max(tried, key=lambda trial: trial[0])
    # Without sizes, which the program's own file is part of: live and built have one receipt.
    ledger.note("fit_price", f"{'fits' if fits else 'does not fit'}, a bit may cost 2^{x:.2f} of what it was to")
    return best


@hookimpl
def fit(settings: SettingsView) -> Component:
    """A little under the contest's cap by default."""
    return Component(fit_by_price, target=settings.fit_target_bytes, probes=settings.fit_price_probes)
