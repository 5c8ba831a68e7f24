"""U-net skips, added: x <- x + w_i * skip before decoder step i; w is (skips, D) and starts at one.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf import PlanFacts
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="additive_skips",
    summary="Encoder outputs are added, weighted per channel, in the decoder.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


def additive_skip(model: GPT, x: Tensor, skip: Tensor, index: int, ctx: Context) -> Tensor:
    """x_BTD with skip number `index` joined."""
    ctx.fired("additive_skips", "skips")
    return x + ctx.weights["skip_weights"][index].to(x.dtype) * skip


@hookimpl
def parameters(settings: SettingsView, plan: PlanFacts) -> list[Param]:
    """One row for each skip of the longest plan."""
    return [Param("skip_weights", (plan.num_skips, settings.model_dim), "scalar", "control", init=Component(ones))]


@hookimpl
def skip(settings: SettingsView) -> Component:
    """Weighted sum."""
    return Component(additive_skip)
