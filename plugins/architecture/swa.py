"""Sliding-window attention: the first layers see a window, the last n see everything.

    layer < L - full layers:  query t sees keys t-w .. t  (w + 1 keys);   later layers: all keys up to t

The window is part of the model: training, calibration and scoring run this same component, since scoring a windowed
model with full attention costs more than a bit per byte. It makes sequences of 4096 affordable.

On a GPU: FlashAttention 3 or 2 where installed; else flex_attention with a block mask for windows and cuDNN for the full
layers. Elsewhere a masked scaled_dot_product_attention. The log says which.

Source: openai/parameter-golf PR #1512 (fork).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.kernels import attend, find_flash

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn.attention.flex_attention import BlockMask

    from pgolf.contracts.architecture import Flash
    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="swa",
    summary="Windowed attention in the first layers.",
    source="openai/parameter-golf#1512",
    family="architecture",
    effect="part of 1.1117; 75-83 ms against 86.6 ms a step at length 2048",
    settings=(
        Setting("swa_window", 256, "keys before its own that a query of a windowed layer sees", minimum=1),
        Setting("swa_full_attn_layers", 5, "this many last layers see everything", minimum=0),
    ),
)


def window_rule(window: int) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """A mask rule for block masks, which take plain functions only."""

    def sees(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (query - key <= window)

    return sees


class SlidingWindowAttention:
    """q_BTHC, k_BTKC, v_BTKC -> y_BTHC; layers below `windowed_layers` have the window."""

    def __init__(self, window: int, windowed_layers: int) -> None:
        self.window = window
        self.windowed_layers = windowed_layers
        self.flash: Flash | None = None
        self.masks: dict[int, BlockMask] = {}

    def prepare(self, session: Session) -> str:
        """Choose the kernel for the run's device and build block masks; returns its name for the log."""
        device = session.world.device
        name, self.flash = find_flash(device)
        if device.type != "cuda" or self.flash is not None:
            return name
        for length in (session.settings.train_seq_len, session.seq_len):
            rule = window_rule(self.window)
            self.masks[length] = create_block_mask(rule, None, None, length, length, device=device)
        return f"flex_attention (windows), {name} (full)"

    def __call__(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        windowed = layer < self.windowed_layers
        ctx.fired("swa", "windowed layers" if windowed else "full layers")
        window = self.window if windowed else -1
        # There are no masks where FlashAttention was found.
        if windowed and ctx.ledger is None and q.size(1) in self.masks:
            grouped = q.size(2) != k.size(2)
            heads = (q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
            y = flex_attention(*heads, block_mask=self.masks[q.size(1)], enable_gqa=grouped)
            return y.transpose(1, 2)
        return attend(self.flash, q, k, v, window, ctx)


@hookimpl
def attention_kernel(settings: SettingsView) -> Component:
    """Window first, everything last."""
    layers, full, window = settings.num_layers, settings.swa_full_attn_layers, settings.swa_window
    longest = max(settings.train_seq_len, settings.eval_seq_len)
    settings.require(full < layers, "swa_full_attn_layers", f"less than num_layers={layers}, or no layer has a window")
    settings.require(window < longest - 1, "swa_window", f"less than {longest - 1}, or it holds every sequence whole")
    return Component(SlidingWindowAttention, window=window, windowed_layers=layers - full)
