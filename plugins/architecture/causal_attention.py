"""Causal attention over the whole sequence, scale 1/sqrt(C), grouped queries.

On a GPU: FlashAttention 3 or 2 where installed, else cuDNN through scaled_dot_product_attention; the log says which.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.kernels import attend, find_flash

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.architecture import Flash
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="causal_attention",
    summary="Full causal attention.",
    source="openai/parameter-golf train_gpt.py",
    family="architecture",
)


class CausalAttention:
    """q_BTHC, k_BTKC, v_BTKC -> y_BTHC."""

    def __init__(self) -> None:
        self.flash: Flash | None = None

    def prepare(self, session: Session) -> str:
        """Choose the kernel for the run's device; returns its name for the log."""
        name, self.flash = find_flash(session.world.device)
        return name

    def __call__(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("causal_attention", "layers")
        return attend(self.flash, q, k, v, -1, ctx)


@hookimpl
def attention_kernel(settings: SettingsView) -> Component:
    """All layers see everything before them."""
    return Component(CausalAttention)
