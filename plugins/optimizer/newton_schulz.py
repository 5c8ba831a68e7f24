"""Newton-Schulz orthogonalisation: five odd polynomials in place of a singular value decomposition.

    X = U / (|U|_F + 1e-7);  repeat:  A = X X^T,  B = b A + c A^2,  X <- a X + B X

with (a, b, c) = (3.4445, -4.7750, 2.0315), on the wide orientation, in bfloat16. The coefficients maximise the slope at
zero: singular values end up between about 0.7 and 1.2, not at one, which is enough.

Each matrix of a batch has its own norm. Two public arithmetics agree up to rounding: c A^2 is (cA)A where Muon works on
separate matrices, as in the baseline, and c(AA) in the scripts with banks.

Source: the baseline script (separate matrices) and openai/parameter-golf#399 (banks).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.optimize import CompiledOrthogonalizer

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="newton_schulz",
    summary="Quintic Newton-Schulz iteration with fixed coefficients.",
    source="openai/parameter-golf baseline train_gpt.py, #399",
    family="optimizer",
)


def iterate_newton_schulz(x: Tensor, steps: int, scale_first: bool) -> Tensor:
    """The iteration in the dtype of `x`, a (rows, columns) matrix or a (batch, rows, columns) batch; A^2 is (cA)A or c(AA)."""
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        square = (2.0315 * gram) @ gram if scale_first else 2.0315 * (gram @ gram)
        x = 3.4445 * x + (-4.7750 * gram + square) @ x
    return x.mT if tall else x


@hookimpl
def orthogonalizer(settings: SettingsView) -> Component:
    """Fixed coefficients at every step, in the arithmetic of the scripts that have this matrix optimizer."""
    iterate = Component(iterate_newton_schulz, scale_first="muon" in settings.plugins)
    return Component(CompiledOrthogonalizer, name="newton_schulz", iterate=iterate)
