"""NorMuon: rows of an orthogonalized update are divided by the root of their mean square's running average.

    v_i <- b v_i + (1 - b) mean_j U_ij^2      N_i = U_i / sqrt(max(v_i, 1e-10))      U <- N |U|_F / |N|_F

A row is a neuron. Orthogonalization evens out singular values, not rows, so some neurons would take much larger steps than
others. The update keeps its Frobenius norm; so the start of v at zero needs no correction, a common factor cancels. In
banks every matrix is treated by itself, on the rank that has it.

Source: Li et al., "NorMuon", 2025 (arXiv 2510.05491), with the norm kept as in modded-nanogpt; in no record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="normuon",
    summary="Second moment of every row of the orthogonalized updates, which evens out the neurons' steps.",
    source="modded-nanogpt, after arXiv 2510.05491",
    family="optimizer",
    settings=(Setting("normuon_beta2", 0.95, "share of the moments that each step keeps", minimum=0.0, below=1),),
)


class RowMoments:
    """`pgolf.contracts.optimizer.OrthogonalTap`; moments in float32, (..., rows, 1)."""

    def __init__(self, beta: float) -> None:
        self.beta = beta

    def restart(self) -> None:
        """No moments."""
        self.moments: dict[Names, torch.Tensor] = {}

    def __call__(self, update: Tensor, names: Names, ledger: Ledger) -> Tensor:
        squares = update.float().square().mean(-1, keepdim=True)
        if names not in self.moments:
            self.moments[names] = torch.zeros_like(squares)
        moment = self.moments[names].lerp_(squares, 1 - self.beta)
        factor = moment.clamp_min(1e-10).rsqrt()
        # |U| / |N|, from the rows' mean squares; zeros stay zeros.
        kept = squares.sum(-2, keepdim=True) / (squares * factor.square()).sum(-2, keepdim=True).clamp_min(1e-20)
        ledger.count("normuon", "updates")
        return (update * (factor * kept.sqrt())).to(update.dtype)


@hookimpl
def orthogonal_taps(settings: SettingsView) -> Component:
    """Every matrix."""
    return Component(RowMoments, beta=settings.normuon_beta2)
