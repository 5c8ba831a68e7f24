"""Muon for the factors of test-time training: each document's gradient of a factor is orthogonalized, without momentum.

    A <- A - lr .2 sqrt(max(r, in)) NS(dL/dA),     B <- B - up lr .2 sqrt(max(out, r)) NS(dL/dB)

NS is the quintic Newton-Schulz iteration. The scale gives every element a mean size of .2 lr, whatever the shape, so `lr` is of
the kind that Adam has; B, which begins at 0, learns `up` times as fast. Factors of one shape are iterated at once. A document
that has ended has no gradient and stays.

Source: Keller Jordan, Muon (kellerjordan.github.io/posts/muon); the scale of arXiv:2502.16982, two rates of arXiv:2402.12354.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="lora_muon",
    summary="Orthogonalized updates for the low-rank factors of test-time training.",
    source="kellerjordan.github.io/posts/muon",
    family="eval",
    effect="-0.010 BPB against lora_ttt with AdamW on two small models, at 1.08 of its time (CPU, proxy text); on 11 layers "
    "of a short training AdamW with three times its rate was better: -.0248 BPB, Muon -.0173 at .001 (H200, one model)",
    requires=("lora_ttt",),
    settings=(
        Setting("lora_muon_lr", 0.0003, "learning rate of A, of the kind of Adam's", minimum=0),
        Setting("lora_muon_up", 3.0, "how many times as fast B learns", minimum=0),
        Setting("lora_muon_steps", 5, "Newton-Schulz iterations", minimum=1),
    ),
)


class LoraMuon:
    """`torch.optim.Optimizer` as far as it is needed; it keeps nothing from one step to the next."""

    def __init__(self, factors: list[Tensor], ledger: Ledger, lr: float, up: float, steps: int) -> None:
        self.factors, self.ledger, self.steps = factors, ledger, steps
        half = len(factors) // 2
        self.rates = [lr] * half + [lr * up] * half

    def zero_grad(self) -> None:
        """Drop gradients."""
        for factor in self.factors:
            factor.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One update of all factors."""
        alike: dict[tuple[float, torch.Size], list[torch.Tensor]] = {}
        for factor, rate in zip(self.factors, self.rates, strict=True):
            if factor.grad is not None:  # none where the forward leaves a site out, as it may the attention of layer 0
                alike.setdefault((rate, factor.shape), []).append(factor)
        for (rate, shape), group in alike.items():
            update = orthogonalize(torch.stack([factor.grad for factor in group]), self.steps)  # type: ignore[misc]
            torch._foreach_add_(group, list(update.unbind()), alpha=-0.2 * rate * max(shape[1:]) ** 0.5)
        self.ledger.count("lora_muon", "updates")


def orthogonalize(x: Tensor, steps: int) -> Tensor:
    """(..., rows, columns) -> the same; in bfloat16 on a GPU."""
    tall, dtype = x.size(-2) > x.size(-1), x.dtype
    x = (x.mT if tall else x) / (x.norm(dim=(-2, -1), keepdim=True) + 1e-20)
    if x.is_cuda:
        x = x.bfloat16()
    for _ in range(steps):
        gram = x @ x.mT
        x = 3.4445 * x + (2.0315 * gram @ gram - 4.775 * gram) @ x
    return (x.mT if tall else x).to(dtype)


def make_muon(factors: list[Tensor], ledger: Ledger, lr: float, up: float, steps: int) -> LoraMuon:
    """For a group of documents."""
    return LoraMuon(factors, ledger, lr, up, steps)


@hookimpl
def adapter_optimizer(settings: SettingsView) -> Component:
    """In place of AdamW."""
    rates = {"lr": settings.lora_muon_lr, "up": settings.lora_muon_up}
    return Component(make_muon, steps=settings.lora_muon_steps, **rates)
