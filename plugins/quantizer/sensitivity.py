"""Steps by sensitivity: every bit of every row costs the loss the same, instead of every row having the same bits.

    importance_i = F_i m + L_i      F_i  mean of (dLoss / dy_i)^2 over tokens,  m  mean of 1 / U_tt^2 as in gptq
                                    L_v  (embedding) sum of |dLoss / dx|^2 / D over the places of token v, per token
    loss added by a code of step s  importance s^2 / 24      bits saved  log2 s
    step_i = sqrt(12 price / (ln 2 importance_i)),  finer where a code of it would be above the largest one

`price` is what a bit may cost in nats per token, one number for the whole artifact; the setting counts megabytes. Rows of every
matrix, tied embeddings with both their uses, and layers that are used several times are measured alike, by one backward pass of
some calibration batches. With a share below 1 the step is step^share (recipe's own step)^(1 - share).

Source: reverse water-filling (Cover and Thomas, 10.3.3) with the Fisher information of the outputs; Frantar et al.,
arXiv:2210.17323. Measured for openai/parameter-golf#1019's shape; in no record.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.output_gradients import EMBEDDING, TOKENS, OutputGradients, differentiate, watched_rows
from pgolf.runtime.quantize import damped_hessian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sensitivity",
    summary="Steps of rows by what an error there costs the loss, at one price of a bit for the whole artifact.",
    source="Cover and Thomas 10.3.3; arXiv:2210.17323",
    family="quantizer",
    order=60,
    requires=("sdclip", "gptq|trellis", "hessian_all_reduce"),
    settings=(
        Setting("sensitivity_price", 0.001, "nats per token that a million bytes are worth", minimum=0),
        Setting("sensitivity_share", 1.0, "1 for these steps, 0 for the recipe's, between for between", minimum=0),
        Setting("sensitivity_batches", 4, "batches of train_batch_tokens that are differentiated", minimum=1),
        Setting(
            "sensitivity_targets", "labels", "whose loss: of the text, or of samples", choices=("labels", "samples")
        ),
    ),
)
PRICE = "price_factor"


class Gradients:
    """Batch statistics "fisher" and "lookup" of the first batches."""

    def __init__(self, batches: int, samples: bool) -> None:
        self.batches = batches
        self.samples = samples

    def __call__(self, session: Session, ids: Tensor, number: int) -> Statistics:
        """Scaled so that fisher * (e H e^T) / 2 and lookup * |e|^2 / 2 are nats per token, for H as it is collected."""
        if number >= self.batches * 8 // session.world.world_size:
            return {}
        watched = watched_rows(session.parameters)
        seen = OutputGradients(dict(watched.values()), session.settings.vocab_size, ids.device)
        rows = max(1, TOKENS // ids.shape[1])
        for place, part in enumerate(ids.split(rows)):
            key = f"sensitivity {session.world.rank} {number} {place}"
            differentiate(session, part, seen, self.samples, key)
        session.ledger.count("sensitivity", "micro-batches differentiated")
        tokens = ids.numel()
        found = {
            name: {"fisher": seen.sums[key] / max(seen.uses[key], 1) / tokens} for name, (key, _) in watched.items()
        }
        found.setdefault("tok_emb.weight", {})["lookup"] = smooth_lookup(seen.sums[EMBEDDING]) / seen.uses[EMBEDDING]
        return found


def smooth_lookup(sums: Tensor) -> Tensor:
    """Tokens that the batches hold little of have some of what the others have."""
    return sums + sums.sum() / (100 * len(sums))


def weigh_rows(statistics: Statistics, world: World, ledger: Ledger, damp: float) -> Statistics:
    """Statistic "importance" (rows,) in place of the others; what had no gradient in a matrix counts as its thousandth part."""
    for known in statistics.values():
        parts = []
        if "fisher" in known and "hessian" in known:
            fisher = known.pop("fisher")
            parts.append(fisher.clamp_min(0.001 * fisher.mean()) * mean_pivot(known["hessian"], damp))
        if "lookup" in known:
            parts.append(known.pop("lookup"))
        known.pop("fisher", None)
        if parts:
            known["importance"] = torch.stack(parts).sum(0)
            ledger.count("sensitivity", "matrices weighed")
    return statistics


def mean_pivot(hessian: Tensor, damp: float) -> Tensor:
    """Mean of 1 / U_tt^2: what is left of each column's diagonal once those that gptq rounds later are known."""
    damped = damped_hessian(hessian, damp)[0]
    order = damped.diagonal().argsort()  # the last column first: this factor is that of H, and U that of its inverse
    lower, failed = torch.linalg.cholesky_ex(damped[order][:, order])
    return torch.where(failed > 0, damped.diagonal().mean(), lower.diagonal().square().mean())


class SensitiveSteps:
    """Clip tap: where a matrix has importances, they decide."""

    def __init__(self, price: float, share: float) -> None:
        self.price = price
        self.share = share

    def __call__(
        self, weight: Tensor, clip: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> Tensor:
        """The clips (rows,) whose steps a bit is worth; no row is clipped, and none has a step of more than 8 deviations."""
        if "importance" not in statistics:
            return clip
        price = self.price * statistics[PRICE].item() if PRICE in statistics else self.price
        step = (12 * price / math.log(2) / statistics["importance"].clamp_min(1e-30)).sqrt()
        wanted = (top * step) ** self.share * clip ** (1 - self.share)
        ledger.count("sensitivity", "matrices with steps by price")
        return torch.maximum(torch.minimum(wanted, 8 * top * weight.std(1)), weight.abs().amax(1))


@hookimpl
def batch_statistics(settings: SettingsView) -> Component:
    """While the source's first batches are there."""
    return Component(Gradients, batches=settings.sensitivity_batches, samples=settings.sensitivity_targets == "samples")


@hookimpl
def statistics_taps(settings: SettingsView) -> Component:
    """After the sum over ranks."""
    values = settings.as_dict()
    return Component(weigh_rows, damp=values.get("gptq_damp", values.get("trellis_damp")))


@hookimpl
def clip_taps(settings: SettingsView) -> Component:
    """Nats for a bit, of nats for a million bytes."""
    settings.require(settings.sensitivity_price > 0, "sensitivity_price", "more than 0")
    settings.require(settings.sensitivity_share <= 1, "sensitivity_share", "0 to 1")
    return Component(SensitiveSteps, price=settings.sensitivity_price / 8e6, share=settings.sensitivity_share)
