"""Fits file and artifact to the cap by the price of a bit: all steps of `sensitivity` become coarser, or finer, together.

    price <- price 2^x      size(x) ~ a packed size + G(x) - G there      G = sum over rows of n log2(v 2^-sx + 1/12) / 16
                            v, n  mean square of a row's codes less 1/12, their number      s  sensitivity_share

At one price a bit costs the loss the same everywhere, so no other change of the steps saves the same bytes for less. Bytes that
are left over are spent. G is what normal rows cost at those steps, less a constant; all that it does not know is in the packed
size nearest to the target, from which it tells the next x. Where two sizes have the target between them and G points outside,
the line through them does. `fit_price_probes` packings at most; kept is the finest that fits, or the coarsest where none does.

Source: reverse water-filling (Cover and Thomas, 10.3.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.levers import matrices

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

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


def normal_bytes(squares: Tensor, counts: Tensor, octaves: float) -> float:
    """G of rows (rows,) after so many octaves of their steps' squares."""
    bits: float = ((squares * 2.0**-octaves + 1 / 12).log2() * counts).sum().item()
    return bits / 16


def predicted_octaves(encoded: dict[str, Parts], names: list[str], less: float, share: float) -> float:
    """By how many octaves the price has to rise for so many bytes less, up to twice `OCTAVES` either way."""
    codes = [encoded[name]["codes"].float() for name in names]
    squares = (torch.cat([some.square().mean(1) for some in codes]).double() - 1 / 12).clamp_min(0)
    counts = torch.cat([torch.full_like(some[:, 0], some.shape[1]) for some in codes])
    goal = normal_bytes(squares, counts, 0.0) - less
    low, high = -2 * OCTAVES, 2 * OCTAVES
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if normal_bytes(squares, counts, share * middle) > goal else (low, middle)
    return high


def fit_by_price(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    ledger: Ledger,
    target: int,
    probes: int,
    share: float,
) -> dict[str, Parts]:
    """Tensors encoded again at the price whose bytes come closest below the target."""
    names = matrices(encoded)
    if not names:
        ledger.note("fit_price", "no matrix has codes: nothing changed")
        return encoded
    goal = target * (1 - CLOSE / 2)
    # (x, size, encoded)
    tried = [(0.0, measure(encoded), encoded)]
    for _ in range(probes - 1):
        large = max((trial for trial in tried if trial[1] > target), key=lambda trial: trial[0], default=None)
        small = min((trial for trial in tried if trial[1] <= target), key=lambda trial: trial[0], default=None)
        if small and (small[1] > (1 - CLOSE) * target or small[0] == -OCTAVES):
            break
        near, size, made = min(tried, key=lambda trial: abs(trial[1] - goal))
        x = min(max(near + predicted_octaves(made, names, size - goal, share), -OCTAVES), OCTAVES)
        if large and small and not large[0] < x < small[0]:
            x = small[0] + (goal - small[1]) * (small[0] - large[0]) / min(small[1] - large[1], -1)
        # What still is too large after two predictions does not follow them.
        elif len(tried) > 2 and not small:
            x = OCTAVES
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
    return Component(
        fit_by_price,
        target=settings.fit_target_bytes,
        probes=settings.fit_price_probes,
        share=settings.sensitivity_share,
    )
