"""Symmetric integer grids, shared by exporters and fake-quantization so that both see the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from torch import Tensor, dtype

    from pgolf.contracts.quantizer import ClipTap, Parts, Rounding, TensorRecipe

KEPT_ELEMENTS = 65536
CLIP_QUANTILES = (0.999, 0.9995, 0.9999, 0.99999)


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


def quantile_steps(weight: Tensor, top: int, floor: float) -> list[Tensor]:
    """Five float16 steps (rows,) of a float32 matrix: clips at `CLIP_QUANTILES` of |row| and at its largest, over `top`.

    A step of zero in float16 would divide by zero: the least is `floor`, or the smallest normal number.
    """
    magnitudes = weight.abs()
    least = max(floor, torch.finfo(torch.float16).tiny)
    clips = [torch.quantile(magnitudes, quantile, 1) for quantile in CLIP_QUANTILES]
    return [(clip / top).clamp_min(least).half() for clip in (*clips, magnitudes.amax(1))]


def squared_error(weight: Tensor, codes: Tensor, step: Tensor) -> Tensor:
    """Of codes * step against a float32 matrix: the mean of its elements, a scalar."""
    return (weight - dequantize(codes, step, torch.float32)).square().mean()


def int8_grid(weight: Tensor, top: int = 127) -> tuple[Tensor, Tensor]:
    """Codes in [-top, top] and the stored step of a float32 tensor, from the 0.9999984 quantile of each row."""
    if weight.ndim == 2:
        clip = torch.quantile(weight.abs(), 0.9999984, 1)
        step = (clip / top).clamp_min(1 / top)
        stored = step.half()
    else:
        clip = torch.quantile(weight.abs().flatten(), 0.9999984)
        # Where everything is zero the step is one.
        stored = step = clip / top if clip > 0 else clip + 1
    clip = per_row(clip)
    return integer_codes(weight.clamp(-clip, clip), step, top), stored


def restore_tensor(parts: Parts, kind: dtype) -> Tensor:
    """What was kept, or codes times steps; the tensor's own dtype comes back."""
    if "kept" in parts:
        return parts["kept"].to(kind)
    return dequantize(parts["codes"], parts["step"], kind)


def damped_hessian(hessian: Tensor, damp: float) -> tuple[Tensor, Tensor]:
    """(X^T X made invertible, which columns had no input).

    A column without input gets diagonal 1; then `damp` times the mean of the diagonal is added to all of it.
    """
    hessian = hessian.clone()
    diagonal = hessian.diagonal()
    dead = diagonal == 0
    diagonal[dead] = 1.0
    diagonal += damp * diagonal.mean()
    return hessian, dead


def nearest_codes(
    name: str, weight: Tensor, step: Tensor, top: int, statistics: Mapping[str, Tensor], ledger: Ledger
) -> Tensor:
    """The rounding without any statistics: each weight to the nearest multiple of its step."""
    return integer_codes(weight, step.float(), top)


def fake_quantize(recipe: TensorRecipe, name: str, weight: Tensor) -> Tensor:
    """What the exporter's recipe without statistics would make of `weight`, with the gradient of `weight` itself."""
    parts = recipe.encode(name, weight.detach(), {}, Ledger())
    return weight + (recipe.decode(name, parts, weight.dtype) - weight).detach()


class SpreadRecipe:
    """Tensor recipe: rows are clipped at a multiple of their standard deviation.

        clip = sigmas * std(row)      step = float16(clip / top)      q = rounding(W / step) in [-top, top]

    `std` divides by n - 1. Rows whose step is zero in float16 get step 1 and with it zeros. Tensors of at most 65,536
    elements are kept in float16; larger ones that are not matrices have one clip, and are rounded to the nearest code.

    Args:
        plugin: under whose name tensors are counted.
        name: such as "int6", in the file's name.
        top: the largest code, 2^(bits-1) - 1.
        sigmas: the multiple.
        taps: change the clips before steps are made of them.
        rounding: chooses the codes of matrices.
    """

    def __init__(
        self, plugin: str, name: str, top: int, sigmas: float, taps: tuple[ClipTap, ...], rounding: Rounding
    ) -> None:
        self.name = name
        self.plugin = plugin
        self.top = top
        self.sigmas = sigmas
        self.taps = taps
        self.rounding = rounding

    def encode(self, name: str, tensor: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Parts:
        """Codes and steps of a large tensor, or a small one as it is."""
        if tensor.numel() <= KEPT_ELEMENTS:
            ledger.count(self.plugin, "tensors kept")
            return {"kept": tensor.half()}
        weight = tensor.float()
        step = self.steps(weight, statistics, ledger)
        rounding: Rounding = self.rounding if weight.ndim == 2 else nearest_codes
        return {"codes": rounding(name, weight, step, self.top, statistics, ledger), "step": step}

    def encode_group(
        self, names: list[str], tensors: list[Tensor], statistics: list[Mapping[str, Tensor]], ledger: Ledger
    ) -> list[Parts]:
        """`encode` of large matrices of one shape, whose codes the rounding chooses together."""
        weights = [tensor.float() for tensor in tensors]
        steps = [self.steps(weight, known, ledger) for weight, known in zip(weights, statistics, strict=True)]
        solver: Any = self.rounding
        codes = solver.solve(names, weights, steps, self.top, statistics, ledger)
        return [{"codes": found, "step": step} for found, step in zip(codes, steps, strict=True)]

    def steps(self, weight: Tensor, statistics: Mapping[str, Tensor], ledger: Ledger) -> Tensor:
        """float16 steps (rows,) of a matrix, or one."""
        clip = self.sigmas * (weight.std(1) if weight.ndim == 2 else weight.std())
        if self.taps and weight.ndim == 2:
            for tap in self.taps:
                clip = tap(weight, clip, self.top, statistics, ledger)
        step = (clip / self.top).half()
        ledger.count(self.plugin, "tensors quantized")
        return torch.where(step == 0, torch.ones_like(step), step)

    def decode(self, name: str, parts: Parts, kind: dtype) -> Tensor:
        """The tensor in its own dtype."""
        return restore_tensor(parts, kind)


def spread_recipe(rounding: Any, taps: tuple[Any, ...], bits: int, **arguments: Any) -> Any:
    """A component, for hooks: the `SpreadRecipe` that goes with the `rounding` component, inside of what a clip tap asks for.

    It has its numbers worked out: a constructor that only stores leaves nothing of itself in a built file.

    A rounding may have a class attribute `recipe`, a subclass; a clip tap may have `around`, a recipe that takes another as
    `inner`, besides the tap's own argument `damp`.
    """
    arguments |= {"name": f"int{bits}", "top": 2 ** (bits - 1) - 1, "taps": taps, "rounding": rounding}
    inner = type(rounding)(getattr(rounding.target, "recipe", SpreadRecipe), **arguments)
    for tap in taps:
        if hasattr(tap.target, "around"):
            inner = type(rounding)(tap.target.around, inner=inner, damp=tap.arguments["damp"])
    return inner
