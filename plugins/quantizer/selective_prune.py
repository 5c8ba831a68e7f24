"""Fits file and artifact under the cap: codes of +-1 become 0, the cheapest first, until it fits.

    candidates: |q| = 1, ordered by step^2, the squared error that zeroing costs; equal ones in the order of the artifact
    zero 8 codes for each byte too many, measure, and again until it fits;  then give back what was too much

What is measured is what counts: the program's own file and the packed artifact in decimal bytes. (The public form had its
target in MiB, 16.67 million bytes, so it found everything fitting and pruned nothing.) Under exporters with a floored step
all keys are equal, and the order is that of the tensors.

Source: openai/parameter-golf#609, #1019 (TARGET_MB); eight codes for a byte from #1334.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.prune import prune_ones

if TYPE_CHECKING:
    from collections.abc import Callable

    from pgolf.contracts.quantizer import Parts, Requantize
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


def fit_by_pruning(
    encoded: dict[str, Parts],
    measure: Callable[[dict[str, Parts]], int],
    requantize: Requantize,
    ledger: Ledger,
    target: int,
    prefix: str,
    probes: int,
) -> dict[str, Parts]:
    """Prune as little as a few measurements can tell; what still is too large is said in the receipt."""
    fitted, text = prune_ones(encoded, measure, measure(encoded), target, prefix, probes)
    ledger.note("selective_prune", text)
    return fitted


@hookimpl
def fit(settings: SettingsView) -> Component:
    """Under the contest's cap by default."""
    return Component(
        fit_by_pruning,
        target=settings.prune_target_bytes,
        prefix=settings.prune_names,
        probes=settings.prune_probes,
    )
