"""Block LARS: a matrix moves in proportion to its own norm.

    U_i <- U_i trust |W_i|_F / |U_i|_F        i: a matrix, or a member of a bank; unchanged where W_i or U_i is zero

Orthogonalized updates of one shape have nearly one norm, whatever the weight's; with a trust ratio the relative change is the
same everywhere, and the learning rate means relative change, for tall matrices too. Weight decay is as it was. No member of a
bank sees another.

Source: a flag of the 1.1502 record's script, BLOCK_LARS_TRUST, there 0 (off); after You et al., "LARS", 2017.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.optimize import aspect_scale

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="block_lars",
    summary="Matrix updates in proportion to the norm of the matrix.",
    source="openai/parameter-golf, script of the 1.1502 record (off there); arXiv 1708.03888",
    family="optimizer",
    settings=(
        Setting("block_lars_trust", 1.0, "norm of an update relative to its matrix, at learning rate 1", minimum=0.0),
    ),
)


def scale_by_trust(
    tensor: Tensor, update: Tensor, names: Names, lr: float, scalars: Scalars, ledger: Ledger, trust: float, tall: bool
) -> None:
    """Scale `update` in place, without waiting for the device; `tall`: tall matrices' steps are enlarged after this."""
    weights = torch.linalg.vector_norm(tensor, dim=(-2, -1), keepdim=True, dtype=torch.float32)
    updates = torch.linalg.vector_norm(update, dim=(-2, -1), keepdim=True, dtype=torch.float32)
    ratio = trust / (aspect_scale(tensor) if tall else 1.0) * weights / updates
    update.mul_(torch.where((weights > 0) & (updates > 0), ratio, 1.0))
    ledger.count("block_lars", "updates")


@hookimpl
def apply_taps(settings: SettingsView) -> Component:
    """Every matrix."""
    settings.require(settings.block_lars_trust > 0, "block_lars_trust", "more than 0, with which no matrix would move")
    # Muon has enlarged the updates of tall matrices already, optimizers of banks do so last.
    return Component(scale_by_trust, trust=settings.block_lars_trust, tall="muon" not in settings.plugins)
