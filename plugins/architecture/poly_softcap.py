"""Cap by an odd polynomial of degree five, which fuses where tanh does not.

    u = clip(z / cap, -2, 2);   logits <- cap * clip(u (1 - u^2 / 3 + u^4 / 15), -1, 1)

It has u^5 / 15 where the series of tanh has 2 u^5 / 15, and reaches the cap at about 1.69 cap: from there on no gradient
comes back.

Source: the record of 2026-03-24, 74M Ternary (SOFTCAP_TYPE=poly).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="poly_softcap",
    summary="Logits stay within a cap, by a polynomial.",
    source="openai/parameter-golf, record 2026-03-24 74M Ternary",
    family="architecture",
    effect="tanh was 16 ms a step slower in that script, where it broke a fusion",
    replaces=("tanh_softcap",),
    settings=(Setting("logit_softcap", 10.0, "logits stay within +- this", minimum=0),),
)


def poly_softcap(model: GPT, logits_BTV: Tensor, ctx: Context, cap: float) -> Tensor:
    """logits_BTV -> logits_BTV."""
    ctx.fired("poly_softcap", "caps")
    u = (logits_BTV / cap).clamp(-2, 2)
    square = u * u
    return cap * (u * (1 - square / 3 + square * square / 15)).clamp(-1, 1)


@hookimpl
def logit_taps(settings: SettingsView) -> Component:
    """In training and scoring."""
    settings.require(settings.logit_softcap > 0, "logit_softcap", "more than 0")
    return Component(poly_softcap, cap=settings.logit_softcap)
