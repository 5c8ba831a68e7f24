"""The arithmetic that every layer shares. Shapes: x_BTD stream, ids_BT token ids."""

import torch
import torch.nn.functional as F

# PyTorch's default for float32 input; pinned because older releases used the input's own epsilon.
RMS_EPS = 1.1920929e-07


def rms_norm(x):
    """x / sqrt(mean(x^2) + eps) over the last axis, without gain."""
    return F.rms_norm(x, (x.size(-1),), eps=RMS_EPS)


def shift_right(x):
    """x_{t-1} along axis 1, out of place; position 0 becomes zero."""
    return F.pad(x[:, :-1], (0, 0) * (x.dim() - 2) + (1, 0))


def previous_ids(ids):
    """id_{t-1}; position 0 becomes 0."""
    return F.pad(ids[:, :-1], (1, 0))


def use_matrix(model, weight, x, role, layer, position, ctx):
    """x W^T, the one place where a matrix meets an activation.

    Order: weight taps (mix, fake-quant, noise), observer, matmul in the activation's dtype, adapter delta. The adapter is
    indexed by `position`, the step of the layer plan, because repeats of one layer adapt separately.
    """
    for tap in model.program.weight_taps:
        weight = tap(weight, role, layer, ctx)
    if ctx.observe is not None:
        ctx.observe(role, layer, x)
    y = F.linear(x, weight.to(x.dtype))
    if ctx.adapter is not None:
        y = y + ctx.adapter.delta(x, role, position)
    return y


def rotary_tables(length, dims, base, device):
    """cos and sin of t * base^(-2j/dims), each (length, dims/2), float32."""
    frequencies = base ** (-torch.arange(0, dims, 2, dtype=torch.float32, device=device) / dims)
    angles = torch.outer(torch.arange(length, dtype=torch.float32, device=device), frequencies)
    return angles.cos(), angles.sin()


def rotate_halves(x_BTHC, cos, sin):
    """Rotate the pairs (j, j + C/2): (u, v) -> (u cos + v sin, v cos - u sin)."""
    cos, sin = cos[None, :, None, :].to(x_BTHC.dtype), sin[None, :, None, :].to(x_BTHC.dtype)
    u, v = x_BTHC.chunk(2, dim=-1)
    return torch.cat((u * cos + v * sin, v * cos - u * sin), dim=-1)
