"""Weight decay only where the update shrinks the weight too.

    W <- W - lr wd W    where W U > 0        U: the update that is subtracted next

Every element of every matrix is treated alike, banks and their shares included; one public bank form decayed its last bank
so and the others whole, which was a mistake.

Source: openai/parameter-golf#1514 (a flag, off); a fork found it harmful. After Chen et al., "Cautious Weight Decay", 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="cautious_weight_decay",
    summary="Decoupled weight decay on those elements of matrices that the update moves towards zero.",
    source="openai/parameter-golf#1514",
    family="optimizer",
    effect="harmful in a fork's run; off in every record",
    conflicts=(Conflict("muon_weight_decay", "weights would decay twice"),),
    settings=(Setting("cautious_wd", 0.04, "weight decay of the matrices", minimum=0.0),),
)


def decay_cautiously(
    tensor: Tensor, update: Tensor, names: Names, lr: float, scalars: Scalars, ledger: Ledger, weight_decay: float
) -> None:
    """Shrink some elements of `tensor` in place."""
    shrinks = tensor * update > 0
    tensor.sub_(tensor * shrinks, alpha=lr * weight_decay * scalars.weight_decay_mul)
    ledger.count("cautious_weight_decay", "tensors decayed")


@hookimpl
def apply_taps(settings: SettingsView) -> Component:
    """One decay for all matrices."""
    return Component(decay_cautiously, weight_decay=settings.cautious_wd)
