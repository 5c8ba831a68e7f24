"""Polar Express: Newton-Schulz iterations whose coefficients change from step to step.

    X = U / (|U|_F + 1e-7);  step i:  A = X X^T,  B = b_i A + c_i A^2,  X <- a_i X + B X

Each step's odd polynomial is the best one for where the singular values are by then: the first ones lift small values, the
last ones settle all of them near one. There are coefficients for five steps; more would not be defined.

Source: openai/parameter-golf#1344, in the records from #1787 on; coefficients from Amsel et al., "The Polar Express", 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.optimize import CompiledOrthogonalizer

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="polar_express",
    summary="Newton-Schulz iteration with coefficients of its own for each of five steps.",
    source="openai/parameter-golf#1344, #1787",
    family="optimizer",
    effect="about -0.0005 BPB",
)

COEFFICIENTS = (
    (8.156554524902461, -22.48329292557795, 15.878769915207462),
    (4.042929935166739, -2.808917465908714, 0.5000178451051316),
    (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
    (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
    (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
)


def iterate_polar_express(x: Tensor, steps: int) -> Tensor:
    """The first `steps` iterations in the dtype of `x`, (rows, columns) or (batch, rows, columns)."""
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for a, b, c in COEFFICIENTS[:steps]:
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.mT if tall else x


@hookimpl
def orthogonalizer(settings: SettingsView) -> Component:
    """As many steps as there are coefficients, or fewer."""
    settings.require(
        settings.muon_backend_steps <= len(COEFFICIENTS),
        "muon_backend_steps",
        f"at most {len(COEFFICIENTS)}, for which polar_express has coefficients",
    )
    return Component(CompiledOrthogonalizer, name="polar_express", iterate=Component(iterate_polar_express))
