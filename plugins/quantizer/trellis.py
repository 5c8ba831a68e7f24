"""Trellis-coded codes with GPTQ feedback: the path through the states with the least error, by a Viterbi search along each row.

    J = sum_t e_t^2 + rate * m * (step / std)^2 * log2(e) / 2 * v_t^2      e_t = (w_t - v_t) / U_tt,  m = mean of 1 / U_tt^2
    after column t the columns that follow are w - e_t U_t..      in steps; v as in `pgolf.runtime.trellis`; U as in gptq

At every column each state keeps the better of the two paths that reach it, with the residual of its own that its errors have
left. The rate is that of a normal row: smooth, because counts are too noisy for fine rows. It gains what shrinking all codes of
a row would (0.04 dB at 3.5 bits), and moves a model towards less certain predictions, so it is off unless asked for. Columns
keep their order, since the decoder would have to know another; without a Hessian U is the identity. All rows of matrices of
one shape are searched at once.

Source: Marcellin and Fischer, IEEE Trans. Commun. 38 (1990); dependent quantization of ITU-T H.266; Frantar et al.,
arXiv:2210.17323. No record of openai/parameter-golf has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.trellis import POLYNOMIALS, TrellisRecipe
from pgolf.runtime.trellis_search import ROWS, row_factor, search_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="trellis",
    summary="Trellis-coded quantization: half the spacing for the price of the whole one, with GPTQ feedback.",
    source="Marcellin and Fischer 1990; ITU-T H.266; arXiv:2210.17323",
    family="quantizer",
    effect="about 5 % fewer bytes at an equal divergence from the float model (two models of 36 M weights, proxy)",
    requires=("sdclip", "train_calibration|self_calibration"),
    conflicts=(Conflict("gptq", "it has the feedback of gptq in it"),),
    settings=(
        Setting("trellis_states", 8, "states: 4, 8, 16 or 32; time and memory go with them", minimum=4),
        Setting("trellis_rate", 0.0, "what a bit may cost, in squared steps; more than 0 shrinks weights", minimum=0),
        Setting("trellis_damp", 0.01, "share of the Hessian's mean diagonal that is added to it", minimum=0),
    ),
)


class Trellis:
    """The `rounding` of a matrix with known steps; the recipes of its codes are `TrellisRecipe`."""

    recipe = TrellisRecipe
    statistics = ("hessian",)

    def __init__(self, states: int, rate: float, damp: float) -> None:
        self.states = states
        self.rate = rate
        self.damp = damp

    def __call__(
        self, name: str, weight: Tensor, step: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> Tensor:
        """int8 codes shaped like `weight` (rows, columns)."""
        return self.solve([name], [weight], [step], top, [statistics], ledger)[0]

    def solve(
        self,
        names: list[str],
        weights: list[Tensor],
        steps: list[Tensor],
        top: int,
        statistics: list[Mapping[str, Tensor]],
        ledger: Ledger,
    ) -> list[Tensor]:
        """The codes of matrices of one shape."""
        factors = [row_factor(weight, known, self.damp) for weight, known in zip(weights, statistics, strict=True)]
        ledger.count("trellis", "matrices without feedback", sum("hessian" not in known for known in statistics))
        ledger.count("trellis", "matrices", len(names))
        found: list[Tensor] = []
        some = max(1, ROWS // len(weights[0]))
        for first in range(0, len(names), some):
            part = slice(first, first + some)
            step = torch.stack(steps[part]).float()
            weight = torch.stack(weights[part]) / step[..., None]
            factor = torch.stack(factors[part])
            # Rows do not know of each other.
            blocks = weight.split(ROWS, 1)
            codes = [search_paths(block, factor, top, self.states, self.rate) for block in blocks]
            found += torch.cat(codes, 1).unbind()
        return found


@hookimpl
def rounding(settings: SettingsView) -> Component:
    """For every recipe that takes a rounding and asks it for the recipe."""
    settings.require(settings.trellis_states in POLYNOMIALS, "trellis_states", "4, 8, 16 or 32")
    settings.require(settings.trellis_damp > 0, "trellis_damp", "more than 0; public scripts take 0.01")
    return Component(Trellis, states=settings.trellis_states, rate=settings.trellis_rate, damp=settings.trellis_damp)
