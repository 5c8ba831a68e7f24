"""The arithmetic that every layer shares. Shapes: x_BTD stream, ids_BT token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT

# PyTorch's default for float32 input; pinned because older releases used the input's own epsilon.
RMS_EPS = 1.1920929e-07


def rms_norm(x: Tensor) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last axis, without gain."""
    return F.rms_norm(x, (x.size(-1),), eps=RMS_EPS)


def shift_right(x: Tensor) -> Tensor:
    """x_{t-1} along axis 1, out of place; position 0 becomes zero."""
    return F.pad(x[:, :-1], (0, 0) * (x.dim() - 2) + (1, 0))


def document_begins(ctx: Context) -> Tensor | None:
    """(B,T) bool, true at the first token of a document: the batch field "starts", or where "documents" changes."""
    if "starts" in ctx.fields:
        return ctx.fields["starts"]
    if "documents" not in ctx.fields:
        return None
    documents = ctx.fields["documents"]
    return F.pad(documents[:, 1:] != documents[:, :-1], (1, 0))


def tapped(model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context) -> Tensor:
    """A matrix as the forward uses it, in its own dtype: mixed, fake-quantized, with noise."""
    for tap in model.program.weight_taps:
        weight = tap(model, weight, role, layer, position, ctx)
    return weight


def use_matrix(model: GPT, weight: Tensor, x: Tensor, role: str, layer: int, position: int, ctx: Context) -> Tensor:
    """x W^T, the one place where a matrix meets an activation.

    Order: weight taps (mix, fake-quant, noise), input taps, observer, matmul in the activation's dtype, adapter. Observer and
    adapter see what the matrix multiplies.
    """
    weight = tapped(model, weight, role, layer, position, ctx)
    for tap in model.program.matrix_inputs:
        x = tap(model, x, role, layer, position, ctx)
    if ctx.observe is not None:
        ctx.observe(role, layer, x)
    return adapt(F.linear(x, weight.to(x.dtype)), x, role, position, ctx)


def adapt(y: Tensor, x: Tensor, site: str, position: int, ctx: Context) -> Tensor:
    """`y`, plus what the adapter adds at `site` for the input `x` where it has that site.

    A site is a matrix's role or a branch ("attn", "mlp"), once for every `position`, the step of the layer plan: repeats of
    one layer adapt separately.
    """
    if ctx.adapter is not None and site in ctx.adapter.sites:
        y = y + ctx.adapter.delta(x, site, position)
    return y


def rotate_halves(x_BTHC: Tensor, base: float, ctx: Context) -> Tensor:
    """Rotate the pairs (j, j + C/2) by t * base^(-2j/C): (u, v) -> (u cos + v sin, v cos - u sin).

    The angles are float32; their tables (T, C/2) are computed once per forward. Two shorter ways to write the tables, from
    integers and with the cast done once, made compiled code 8 ms a micro-step slower on an H100, and rounded otherwise.
    """
    if "rope" not in ctx.memo:
        length = x_BTHC.size(1)
        width = x_BTHC.size(3)
        device = x_BTHC.device
        frequencies = base ** (-torch.arange(0, width, 2, dtype=torch.float32, device=device) / width)
        angles = torch.outer(torch.arange(length, dtype=torch.float32, device=device), frequencies)
        ctx.memo["rope"] = angles.cos(), angles.sin()
    cos, sin = (table[None, :, None, :].to(x_BTHC.dtype) for table in ctx.memo["rope"])
    u, v = x_BTHC.chunk(2, -1)
    return torch.cat((u * cos + v * sin, v * cos - u * sin), -1)
