"""Low-rank correction: the largest quantization errors come back as two thin factors of a few bits.

    E = W - W'      for the `lqer_top_k` matrices with the largest |E|_F: E ~ A B, A = U_r S_r (rows, r), B = V_r^T (r, cols)
    asymmetric      A: one step max|A| / 1.5, codes -2..1; B: steps max / 7.5 of groups of 64 in its rows, codes -8..7
    symmetric       both: steps max / R of every row, codes -R..R, R = 2^(bits-1) - 1; also where groups do not come out even
    at load         W' + A' B'

Steps are float16 and rounded with as such. An SVD may flip the sign of a pair, which the uneven range of A would notice: here
the largest entry of every column of A is negative.

Source: openai/parameter-golf#1797, #1851.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import KEPT_ELEMENTS, per_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Parts, Statistics
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="lqer",
    summary="Low-rank factors of the largest quantization errors.",
    source="openai/parameter-golf#1797, #1851",
    family="quantizer",
    effect="-0.0005 to -0.001 BPB for about 30 kB",
    settings=(
        Setting("lqer_rank", 4, "columns of A", minimum=1),
        Setting("lqer_top_k", 3, "matrices that are corrected", minimum=1),
        Setting("lqer_factor_bits", 4, "bits of a code of symmetric factors", minimum=2),
        Setting("lqer_asym_enabled", True, "asymmetric factors, of 2 and 4 bits"),
        Setting("lqer_asym_group", 64, "elements of B that share a step, when asymmetric", minimum=1),
    ),
)


RANK = "lqer.rank"


class Lqer:
    """Correction; parts "a" and "b" are codes, "a_step" and "b_step" their steps."""

    name = "lqer"

    def __init__(self, rank: int, count: int, bits: int, group: int) -> None:
        self.rank = rank
        self.count = count
        self.bits = bits
        self.group = group

    def encode(
        self, state: Mapping[str, Tensor], decoded: Mapping[str, Tensor], statistics: Statistics, ledger: Ledger
    ) -> dict[str, Parts]:
        """Parts of the matrices with the largest errors, the first of equal ones, or of those that `fit` gives ranks."""
        large = [name for name, tensor in decoded.items() if tensor.ndim == 2 and tensor.numel() > KEPT_ELEMENTS]
        errors = {name: state[name].float() - decoded[name] for name in large}
        worst = sorted(errors, key=lambda name: -errors[name].norm().item())[: self.count]
        told = {name: int(statistics[name][RANK]) for name in large if RANK in statistics.get(name, {})}
        ranks = {name: rank for name, rank in (told or dict.fromkeys(worst, self.rank)).items() if rank}
        ledger.count("lqer", "matrices", len(ranks))
        return {name: self.factors(*low_rank(errors[name], rank)) for name, rank in ranks.items()}

    def factors(self, left: Tensor, right: Tensor) -> Parts:
        """Codes and steps of A and B."""
        if self.group and right.numel() % self.group == 0:
            return asymmetric(left, right, self.group)
        return symmetric(left, right, self.bits)

    def decode(self, name: str, parts: Parts, tensor: Tensor) -> Tensor:
        """`tensor` + A B."""
        steps = parts["b_step"].float()
        right = (parts["b"].float().reshape(len(steps), -1) * steps[:, None]).reshape(parts["b"].shape)
        left = parts["a"].float() * per_row(parts["a_step"].float())
        return tensor + (left @ right).to(tensor.device)


def low_rank(error: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """A (rows, rank) and B (rank, columns) of the largest singular values."""
    vectors, values, right = torch.linalg.svd(error, full_matrices=False)
    left = vectors[:, :rank] * values[:rank]
    largest = left.gather(0, left.abs().argmax(0, keepdim=True))[0]
    sign = torch.where(largest > 0, -1.0, 1.0)
    return left * sign, right[:rank] * sign[:, None]


def factor_step(largest: Tensor, top: float) -> Tensor:
    """float16 steps, the largest one where they would be larger; 1 where there is nothing."""
    step = (largest / top).clamp_max(torch.finfo(torch.float16).max).half()
    return torch.where(step > 0, step, torch.ones_like(step))


def asymmetric(left: Tensor, right: Tensor, group: int) -> Parts:
    """A in -2..1 with one step, B in -8..7 with a step for each group of its rows laid end to end."""
    groups = right.reshape(-1, group)
    a_step = factor_step(left.abs().amax(), 1.5)
    b_step = factor_step(groups.abs().amax(1), 7.5)
    a = (left / a_step.float()).round().clamp(-2, 1)
    b = (groups / b_step.float()[:, None]).round().clamp(-8, 7).reshape(right.shape)
    return {"a": a.to(torch.int8), "a_step": a_step, "b": b.to(torch.int8), "b_step": b_step}


def symmetric(left: Tensor, right: Tensor, bits: int) -> Parts:
    """Both in -R..R with a step for each row."""
    top = 2 ** (bits - 1) - 1
    steps = [factor_step(factor.abs().amax(1), top) for factor in (left, right)]
    a, b = [
        (factor / step.float()[:, None]).round().clamp(-top, top).to(torch.int8)
        for factor, step in zip((left, right), steps, strict=True)
    ]
    return {"a": a, "a_step": steps[0], "b": b, "b_step": steps[1]}


@hookimpl
def corrections(settings: SettingsView) -> Component:
    """Of whatever the recipes have left."""
    settings.require(settings.lqer_factor_bits <= 8, "lqer_factor_bits", "2 to 8: codes are stored as int8")
    return Component(
        Lqer,
        rank=settings.lqer_rank,
        count=settings.lqer_top_k,
        bits=settings.lqer_factor_bits,
        group=settings.lqer_asym_group if settings.lqer_asym_enabled else 0,
    )
