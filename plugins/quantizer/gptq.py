"""Full-Hessian GPTQ: columns are rounded one after another, and each one's error is spread over those that follow.

    H = X^T X;  a column without input gets H_jj = 1 and weight 0;  H <- H + damp * mean(diag H) * I
    columns by descending H_jj;  U = upper Cholesky factor of H^-1
    q_j = clamp(round(w_j / s), -R, R);   e = (w_j - s q_j) / U_jj;   W_j.. <- W_j.. - e U_j..

Inside a block the error reaches the block's columns at once, the others after the block: the same numbers, fewer passes
over the matrix. Steps s come from the recipe, made of the weights as they were. Matrices of one shape are solved together.

Where H has no Cholesky factor, weights are rounded to the nearest code, and the receipt says so.

Source: Frantar et al., arXiv:2210.17323; openai/parameter-golf#535, #609, #1019, #1394.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import damped_hessian, integer_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="gptq",
    summary="Codes that make up for each other's errors on the inputs a matrix sees.",
    source="openai/parameter-golf#535, #1019, #1394",
    family="quantizer",
    effect="-0.005 to -0.007 BPB against rounding to nearest at int6",
    requires=("sdclip|clip_search", "train_calibration|self_calibration"),
    settings=(
        Setting("gptq_block_size", 128, "columns that are updated together", minimum=1),
        Setting("gptq_damp", 0.01, "share of the mean diagonal that is added to it", minimum=0),
    ),
)


class Gptq:
    """The `rounding` of a matrix with known steps."""

    statistics = ("hessian",)

    def __init__(self, block: int, damp: float) -> None:
        self.block_columns = block
        self.damp = damp

    def __call__(
        self, name: str, weight: Tensor, step: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> Tensor:
        """int8 codes shaped like `weight` (rows, columns); ValueError without a Hessian."""
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
        """The codes of matrices of one shape; together they take as many operations as one."""
        for name, known in zip(names, statistics, strict=True):
            if "hessian" not in known:
                raise ValueError(f"{name} has no input statistics, which gptq needs")
        orders, hessians, columns = [], [], []
        for weight, known in zip(weights, statistics, strict=True):
            hessian, dead = damped_hessian(known["hessian"], self.damp)
            order = known["order"] if "order" in known else hessian.diagonal().argsort(descending=True, stable=True)
            orders.append(order)
            hessians.append(hessian[order][:, order])
            # Transposed, because columns are what is worked on.
            columns.append(weight.masked_fill(dead, 0.0).T[order])
        factor, work = inverse_factor(torch.stack(hessians)), torch.stack(columns)
        codes, step = torch.empty_like(work), torch.stack(steps).float()
        for start in range(0, work.shape[1], self.block_columns):
            spread_block(work, codes, factor, step, top, start, min(start + self.block_columns, work.shape[1]))
        failed = (~factor.isfinite()).flatten(1).any(1).tolist()
        ledger.count("gptq", "matrices rounded to nearest, whose Hessian has no Cholesky factor", sum(failed))
        ledger.count("gptq", "matrices", len(names) - sum(failed))
        return [
            integer_codes(weights[place], step[place], top)
            if failed[place]
            else codes[place, order.argsort()].T.contiguous().to(torch.int8)
            for place, order in enumerate(orders)
        ]


def inverse_factor(hessian: Tensor) -> Tensor:
    """Upper U with U^T U = H^-1 of (..., columns, columns); not a number where H is not positive definite."""
    lower, failed = torch.linalg.cholesky_ex(hessian)
    upper, again = torch.linalg.cholesky_ex(torch.cholesky_inverse(lower), upper=True)
    return torch.where((failed + again > 0)[..., None, None], torch.nan, upper)


def spread_block(work: Tensor, codes: Tensor, factor: Tensor, step: Tensor, top: int, start: int, end: int) -> None:
    """Round columns start..end-1 of `work` (batch, columns, rows) into `codes`, in place; errors go to all that follow."""
    errors = torch.empty_like(work[:, start:end])
    for column in range(start, end):
        codes[:, column] = (work[:, column] / step).round().clamp(-top, top)
        error = (work[:, column] - codes[:, column] * step) / factor[:, column, column, None]
        work[:, column:end] -= factor[:, column, column:end, None] * error[:, None]
        errors[:, column - start] = error
    work[:, end:] -= factor[:, start:end, end:].mT @ errors


@hookimpl
def rounding(settings: SettingsView) -> Component:
    """For every recipe that takes a rounding."""
    settings.require(settings.gptq_damp > 0, "gptq_damp", "more than 0; public scripts take 0.01")
    return Component(Gptq, block=settings.gptq_block_size, damp=settings.gptq_damp)
