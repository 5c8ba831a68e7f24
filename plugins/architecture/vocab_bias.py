"""A learned bias for every id, added to the logits before their cap; zero at the start.

Source: the record of 2026-03-24, 74M Ternary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Conflict, Param, Plugin, hookimpl
from pgolf.runtime.parameters import zeros

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="vocab_bias",
    summary="A learned bias for the logit of every id.",
    source="openai/parameter-golf, record 2026-03-24 74M Ternary",
    family="architecture",
    conflicts=(Conflict("mtp", "the heads for later tokens would share the bias of the next one", hard=False),),
    order=40,
)


def add_vocab_bias(model: GPT, logits_BTV: Tensor, ctx: Context) -> Tensor:
    """logits_BTV -> logits_BTV."""
    ctx.fired("vocab_bias", "heads")
    return logits_BTV + ctx.weights["vocab_bias"].to(logits_BTV.dtype)


@hookimpl
def parameters(settings: SettingsView) -> list[Param]:
    """One number for each id."""
    return [Param("vocab_bias", (settings.vocab_size,), "scalar", "control", init=Component(zeros))]


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """Before the cap."""
    return Component(add_vocab_bias)
