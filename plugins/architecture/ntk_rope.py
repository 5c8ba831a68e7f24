"""NTK-aware rotary positions: a forward longer than the training length turns with a larger base, so angles stay known.

    base' = base * (T / T0)^(r / (r - 2))  where T > T0, else base      r rotated components, T0 = rope_train_seq_len

T is the length of the running forward, so scores depend on how long a window is: a short last window turns with another base
than a long one. The scripts from PR #198 to PR #1204 trained at 2048 with T0 = 1024, so that training itself had the larger
base and all shorter forwards another: a T0 below the training length wants `quirk_stretched_training`. The table of PR #1855
kept the largest base that it had seen; here every forward has its own.

Source: openai/parameter-golf PR #198, PR #1493.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.layers import rotate_halves

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="ntk_rope",
    summary="Rotary base that grows with the length of the forward beyond the training length.",
    source="openai/parameter-golf#198",
    family="architecture",
    effect="-0.002 to -0.003 BPB where windows of 1408 are scored after training at 1024",
    conflicts=(
        Conflict("varlen_attention", "a packed row's length, which sets the base, says nothing of its documents"),
    ),
    settings=(
        Setting("rope_base", 10000.0, "base of the rotary frequencies", minimum=1),
        Setting("rope_dims", 16, "rotated components of each head; 0 rotates all", minimum=0),
        Setting("rope_train_seq_len", 0, "length beyond which the base grows; 0 takes train_seq_len", minimum=0),
        Setting(
            "quirk_stretched_training", False, "allows a base that grows in training too, as scripts with 1024 at 2048"
        ),
    ),
)


class NtkRope:
    """x_BTHC -> x_BTHC with the first `dims` components rotated."""

    def __init__(self, base: float, dims: int, trained: int) -> None:
        self.base = base
        self.dims = dims
        self.trained = trained

    def stretched(self, length: int) -> float:
        """The base for a forward of `length` tokens."""
        growth: float = max(length / self.trained, 1.0) ** (self.dims / (self.dims - 2))
        return self.base * growth

    def __call__(self, model: GPT, x_BTHC: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        ctx.fired("ntk_rope", "rotations")
        # Where a row is attended to in stretches, the longest of them counts.
        length = ctx.fields["segments"][0].size(1) if "segments" in ctx.fields else x_BTHC.size(1)
        rotated = rotate_halves(x_BTHC[..., : self.dims], self.stretched(length), ctx)
        return torch.cat((rotated, x_BTHC[..., self.dims :]), -1)


@hookimpl
def rotary(settings: SettingsView) -> Component:
    """Some components, or all."""
    dims, width = settings.rope_dims or settings.head_dim, settings.head_dim
    settings.require(dims % 2 == 0 and dims > 2, "rope_dims", "an even number above 2: the exponent is r / (r - 2)")
    settings.require(dims <= width, "rope_dims", f"at most {width}, the width of a head")
    trained = settings.rope_train_seq_len or settings.train_seq_len
    longest = max(settings.train_seq_len, settings.eval_seq_len)
    wanted = f"less than {longest}, the longest forward, or the base never grows"
    settings.require(trained < longest, "rope_train_seq_len", wanted)
    wanted = f"at least {settings.train_seq_len}, the training length, unless quirk_stretched_training is on"
    allowed = trained >= settings.train_seq_len or settings.quirk_stretched_training
    settings.require(allowed, "rope_train_seq_len", wanted)
    return Component(NtkRope, base=settings.rope_base, dims=dims, trained=trained)
