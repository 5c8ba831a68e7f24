"""Symmetric integer grids, shared by exporters and fake-quantization so that both see the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import Parts

KEPT_ELEMENTS = 65536


def integer_codes(weight: Tensor, step: Tensor, top: int) -> Tensor:
    """round(weight / step), half to even, clamped to [-top, top], as int8. `step` has one entry per row, or one."""
    return (weight / per_row(step)).round().clamp(-top, top).to(torch.int8)


def per_row(step: Tensor) -> Tensor:
    """A step per row as a column; a single step as itself."""
    return step[:, None] if step.ndim else step


def dequantize(codes: Tensor, step: Tensor, kind: dtype) -> Tensor:
    """codes * step in float32, cast to the dtype `kind`."""
    return (codes.float() * per_row(step).float()).to(kind)


def int6_grid(weight: Tensor, half: bool) -> tuple[Tensor, Tensor]:
    """Codes in [-31, 31] and their step, from the largest magnitude of each row.

        step = max(max_j |W_ij| / 31, 1/31)        q_ij = round(W_ij / step_i)

    The floor is the one of the public int6 exporters before #1394: rows whose largest weight is below one all share
    the step 1/31. Anything but a matrix gets one step without a floor (1 if it is all zero).

    Args:
        weight: float32, any shape.
        half: round the step to float16 before it is used, as the exporters do, so that the stored float16 step is
            exactly the one the codes were made with. Otherwise the step stays float32.

    Returns:
        int8 codes shaped like `weight`, and the step, shaped (rows,) or ().
    """
    if weight.ndim == 2:
        step = (weight.abs().amax(1) / 31).clamp_min(1 / 31)
    else:
        step = weight.abs().amax() / 31
        step = step if step > 0 else step + 1
    if half:
        step = step.half()
    return integer_codes(weight, step.float(), 31), step


def restore_tensor(parts: Parts, kind: dtype) -> Tensor:
    """What was kept, or codes times steps; the tensor's own dtype comes back."""
    if "kept" in parts:
        return parts["kept"].to(kind)
    return dequantize(parts["codes"], parts["step"], kind)
