"""Steps by sensitivity: every bit of every row costs the loss the same, instead of every row having the same bits.

    importance_i = F_i m + L_i      F_i  mean of (dLoss / dy_i)^2 over tokens,  m  mean of 1 / U_tt^2 as in gptq
                                    L_v  (embedding) sum of |dLoss / dx|^2 / D over the places of token v, per token
    loss added by a code of step s  importance s^2 / 24      bits saved  log2 s
    step_i = sqrt(12 price / (ln 2 importance_i)),  finer where a code of it would be above the largest one

`price` is what a bit may cost in nats per token, one number for the whole artifact; the setting counts megabytes. Rows of every
matrix, tied embeddings with both their uses, and layers that are used several times are measured alike, by one backward pass of
some calibration batches. With a share below 1 the step is step^share (recipe's own step)^(1 - share).

Source: reverse water-filling (Cover and Thomas, 10.3.3) with the Fisher information of the outputs; Frantar et al.,
arXiv:2210.17323. In no record of openai/parameter-golf.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.column_steps import ColumnRecipe
from pgolf.runtime.output_gradients import Gradients
from pgolf.runtime.quantize import damped_hessian

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.distributed import World
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sensitivity",
    summary="Steps of rows by what an error there costs the loss, at one price of a bit for the whole artifact.",
    source="Cover and Thomas 10.3.3; arXiv:2210.17323",
    family="quantizer",
    effect="13 to 18 % fewer bytes at an equal gap of BPB (35.9 M weights, looped, trained 75 s on one H200)",
    order=60,
    requires=("sdclip", "gptq|trellis", "hessian_all_reduce"),
    settings=(
        Setting("sensitivity_price", 0.001, "nats per token that a million bytes are worth", minimum=0),
        Setting("sensitivity_share", 1.0, "1 for these steps, 0 for the recipe's, between for between", minimum=0),
        Setting("sensitivity_columns", False, "columns have steps as well: see `pgolf.runtime.column_steps`"),
        Setting("sensitivity_batches", 4, "batches of train_batch_tokens that are differentiated", minimum=1),
        Setting(
            "sensitivity_targets", "labels", "whose loss: of the text, or of samples", choices=("labels", "samples")
        ),
    ),
)
PRICE = "price_factor"


def join_uses(statistics: Statistics, world: World, ledger: Ledger) -> Statistics:
    """Statistic "fisher" without zeros; for a tied embedding it and the Hessian have both uses in them.

    A row without a gradient counts as a thousandth of the mean. What a lookup makes of an error is the same in all directions:
    that use is a multiple of the identity. Without a Hessian it is all there is, under "importance".
    """
    for known in statistics.values():
        lookup = known.pop("lookup", None)
        if "fisher" in known and "hessian" in known:
            fisher = known["fisher"].clamp_min(0.001 * known["fisher"].mean() + 1e-30)
            if lookup is not None:
                diagonal = known["hessian"].diagonal().mean()
                share = lookup.mean() / fisher.mean()
                known["hessian"] = known["hessian"] + share * torch.eye(len(known["hessian"]), device=fisher.device)
                fisher = (fisher * diagonal + lookup) / (diagonal + share)
            known["fisher"] = fisher
        else:
            known.pop("fisher", None)
            if lookup is None:
                continue
            known["importance"] = lookup
        ledger.count("sensitivity", "matrices weighed")
    return statistics


def mean_pivot(statistics: Mapping[str, Tensor], damp: float) -> Tensor:
    """Mean of 1 / U_tt^2: what is left of each column's diagonal once those that are rounded later are known."""
    damped = damped_hessian(statistics["hessian"].double(), damp)[0]
    order = statistics["order"].flip(0) if "order" in statistics else damped.diagonal().argsort()
    # The last column first: this factor is that of H, and U that of its inverse.
    lower, failed = torch.linalg.cholesky_ex(damped[order][:, order])
    pivots = torch.where(failed > 0, damped.diagonal().mean(), lower.diagonal().square().mean())
    return pivots.to(statistics["hessian"].dtype)


class SensitiveSteps:
    """Clip tap: where a matrix has importances, they decide."""

    def __init__(self, price: float, share: float, damp: float) -> None:
        self.price = price
        self.share = share
        self.damp = damp

    def __call__(
        self, weight: Tensor, clip: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
    ) -> Tensor:
        """The clips (rows,) whose steps a bit is worth; no row is clipped, and none has a step of more than 8 deviations."""
        if "fisher" in statistics:
            importance = statistics["fisher"] * mean_pivot(statistics, self.damp)
        elif "importance" in statistics:
            importance = statistics["importance"]
        else:
            return clip
        price = self.price * statistics[PRICE].item() if PRICE in statistics else self.price
        step = (12 * price / math.log(2) / importance.clamp_min(1e-30)).sqrt()
        wanted = (top * step) ** self.share * clip ** (1 - self.share)
        ledger.count("sensitivity", "matrices with steps by price")
        return torch.maximum(torch.minimum(wanted, 8 * top * weight.std(1)), weight.abs().amax(1))


class SensitiveColumns(SensitiveSteps):
    """The same in recipes with steps of columns."""

    around = ColumnRecipe


@hookimpl
def batch_statistics(settings: SettingsView) -> Component:
    """While the source's first batches are there."""
    return Component(Gradients, batches=settings.sensitivity_batches, samples=settings.sensitivity_targets == "samples")


@hookimpl
def statistics_taps(settings: SettingsView) -> Component:
    """After the sum over ranks."""
    return Component(join_uses)


@hookimpl
def clip_taps(settings: SettingsView) -> Component:
    """Nats for a bit, of nats for a million bytes."""
    settings.require(settings.sensitivity_price > 0, "sensitivity_price", "more than 0")
    settings.require(settings.sensitivity_share <= 1, "sensitivity_share", "0 to 1")
    values = settings.as_dict()
    damp = values["gptq_damp"] if "gptq_damp" in values else values["trellis_damp"]
    target = SensitiveColumns if settings.sensitivity_columns else SensitiveSteps
    return Component(target, price=settings.sensitivity_price / 8e6, share=settings.sensitivity_share, damp=damp)
