"""Temperature: logits are divided by one number, which is fitted to training text when training is over.

    T = argmin over [1 / 1.25, 1.25] of  mean nll(softmax(logits / T)) of `temperature_tokens` training tokens

The mean is convex in 1 / T, so a golden-section search over log T finds it, to a thousandth. T = 1 stays unless something is
better. The fit is on the clock, in time that is kept from training, and T is a tensor of the artifact, so what scores reads no
training data. Weights are those before quantization, because quantizing is not on the clock.

The public script tries .9, .95, 1, 1.05, 1.1, but its model never uses the number: all tie, and .9 is printed for every seed.

Source: openai/parameter-golf records 2026-03-24 74M Ternary and 106M Binary (`TEMP_SCALING`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Group, Param, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import sum_over_ranks
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import ones

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from pgolf.component import PlanFacts
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="temperature",
    summary="Divides logits by a temperature that is fitted to training text after training.",
    source="openai/parameter-golf, record 2026-03-24 74M Ternary",
    family="eval",
    effect="-0.0005 BPB on two small models (T = .980 and .987; CPU, proxy text)",
    settings=(
        Setting("temperature_tokens", 65536, "training tokens that it is fitted to, over all ranks", minimum=1),
        Setting("temperature_reserve_seconds", 3.0, "seconds of the budget that are kept for it", minimum=0),
    ),
)

LIMIT = math.log(1.25)
GOLDEN = (math.sqrt(5) - 1) / 2


class TemperatureFit:
    """Golden-section search; every try is a forward of the same batches."""

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens

    @torch.no_grad()
    def __call__(self, session: Session) -> None:
        """Set the tensor "temperature", to the same value on every rank."""
        batches, seen = [], 0
        while seen < self.tokens:
            batches.append(session.next_batch())
            seen += batches[-1][0].numel() * session.world.world_size
        value = session.model.get_parameter("temperature")

        def loss(log_t: float) -> float:
            value.fill_(math.exp(log_t))
            total = torch.zeros((), dtype=torch.float64, device=session.world.device)
            for x, y, fields in batches:
                # A ledger tells kernels that nothing is compiled.
                total += session.model(x, y, phases=session.scoring_phases(), fields=fields, ledger=Ledger())
            return float(sum_over_ranks(total, session.world)) / len(batches) / session.world.world_size

        plain, log_t = loss(0.0), search(loss)
        best = loss(log_t)
        if best >= plain:
            log_t, best = 0.0, plain
        value.fill_(math.exp(log_t))
        session.log(f"temperature: {math.exp(log_t):.4f}, {plain:.5f} -> {best:.5f} nats on {seen} training tokens")
        session.ledger.count("temperature", "tokens", seen)


def search(loss: Callable[[float], float]) -> float:
    """Where a function with one minimum is least in +-LIMIT, to a thousandth."""
    low, high = -LIMIT, LIMIT
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 0.002:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return (low + high) / 2


def cool(model: GPT, logits_BTV: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """logits_BTV -> logits_BTV in float32."""
    return logits_BTV.float() / ctx.weights["temperature"]


@hookimpl
def parameters(settings: SettingsView, plan: PlanFacts) -> list[Param]:
    """One number, which neither training nor test-time training changes."""
    return [Param("temperature", (), "fitted", "control", init=Component(ones), average=False, adapt=False)]


@hookimpl
def groups(settings: SettingsView) -> list[Group]:
    """A group that never moves."""
    return [Group("fitted", 0.0)]


@hookimpl
def train_fits(settings: SettingsView) -> Component:
    """Right after training."""
    return Component(TemperatureFit, tokens=settings.temperature_tokens)


@hookimpl
def reserve(settings: SettingsView) -> float:
    """About 13 forwards of the tokens."""
    return float(settings.temperature_reserve_seconds)


@hookimpl
def distribution_transforms(settings: SettingsView) -> Component:
    """On the logits of scores alone."""
    return Component(cool)
