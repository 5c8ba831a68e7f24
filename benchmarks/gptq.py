"""Seconds that GPTQ takes on this machine: solving the matrices of an 11-layer model, and summing one micro-batch's inputs.

    gptq.py [DEVICE] [LAYERS]

Random weights and inputs; width 512, MLP 2048, vocabulary 8192, one micro-batch of 98,304 tokens (a twelfth on a CPU). Matrices
of one shape and class are solved together, as an export does it; "one by one" is one of them, times their number. The first
group of all is solved once before.
Seconds of the wall, and of processors.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pgolf.runtime.calibrate import HessianObserver
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe, integer_codes
from pgolf_plugins.quantizer.gptq import Gptq

SHAPES = {"attn": (512, 512), "kv": (256, 512), "fc": (2048, 512), "proj": (512, 2048), "tok_emb": (8192, 512)}
PER_LAYER = {"attn": 2, "kv": 2, "fc": 1, "proj": 1}


def now(device: torch.device) -> tuple[float, float]:
    """(wall, processors) once the device has finished what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()


def since(begin: tuple[float, float], device: torch.device) -> tuple[float, float]:
    """Seconds since then."""
    end = now(device)
    return end[0] - begin[0], end[1] - begin[1]


def measure(device: torch.device, layers: int) -> Iterator[dict[str, Any]]:
    """Rows of (wall, processor) seconds for each shape, then the sums of the matrices of the layers."""
    rows = 98304 if device.type == "cuda" else 8192
    recipe = SpreadRecipe("sdclip", "int6", 31, 12.85, (), Gptq(128, 0.01))
    torch.backends.cuda.matmul.allow_tf32 = True
    totals = {"together": (0.0, 0.0), "one by one": (0.0, 0.0)}
    for place, (name, shape) in enumerate(SHAPES.items()):
        inputs = torch.randn(rows, shape[1], device=device).bfloat16()
        observer = HessianObserver()
        observer("x", 0, inputs)
        begin = now(device)
        observer("x", 0, inputs)
        observed = since(begin, device)
        statistics = {"hessian": observer.sums["x", 0].float()}
        count = PER_LAYER.get(name, 0) * layers or 1
        names, weights = [name] * count, [torch.randn(shape, device=device) / 20 for _ in range(count)]
        if not place:
            recipe.encode_group(names, weights, [statistics] * count, Ledger())
        begin = now(device)
        recipe.encode_group(names, weights, [statistics] * count, Ledger())
        together = since(begin, device)
        begin = now(device)
        recipe.encode(name, weights[0], statistics, Ledger())
        apart = [count * spent for spent in since(begin, device)]
        for key, spent in (("together", together), ("one by one", apart)):
            if name in PER_LAYER:
                totals[key] = tuple(total + one for total, one in zip(totals[key], spent, strict=True))
        yield {
            "what": name,
            "shape": shape,
            "count": count,
            "together": together,
            "one by one": apart,
            "observe": observed,
        }
    yield {"what": "all matrices of the layers", "count": sum(PER_LAYER.values()) * layers, **totals}


def compare(device: torch.device) -> Iterator[dict[str, Any]]:
    """How far the codes of each shape are from those in float64 on the CPU: share of other codes, and error on the inputs.

    The error is tr(E H E^T) of E = W - W', relative to that of float64.
    """
    solver = Gptq(128, 0.01)
    recipe = SpreadRecipe("sdclip", "int6", 31, 12.85, (), solver)
    for name in PER_LAYER:
        rows, columns = SHAPES[name]
        generator = torch.Generator().manual_seed(1)
        mixed = torch.randn(columns, columns, generator=generator) * torch.rand(columns, generator=generator)
        inputs = torch.randn(2 * columns, columns, generator=generator) @ mixed / columns**0.5
        weight, hessian = torch.randn(rows, columns, generator=generator) / 20, inputs.T @ inputs
        parts = recipe.encode(name, weight.to(device), {"hessian": hessian.to(device)}, Ledger())
        codes, step = parts["codes"].cpu(), parts["step"].cpu()
        exact = solver(name, weight.double(), step.double(), recipe.top, {"hessian": hessian.double()}, Ledger())
        error = [weighted_error(weight, found, step, hessian) for found in (codes, exact)]
        nearest = weighted_error(weight, integer_codes(weight, step.float(), recipe.top), step, hessian)
        ratio, other = error[0] / error[1], (codes != exact).double().mean().item()
        yield {
            "what": f"codes of {name} against float64",
            "error": round(ratio, 6),
            "of rounding to nearest": round(nearest / error[1], 3),
            "other codes": round(other, 6),
            "bound": 1.01,
            "ok": ratio < 1.01,
        }


def weighted_error(weight: Tensor, codes: Tensor, step: Tensor, hessian: Tensor) -> float:
    """tr(E H E^T) in float64."""
    error = weight.double() - codes.double() * step.double()[:, None]
    return ((error @ hessian.double()) * error).sum().item()


def main(name: str = "cuda" if torch.cuda.is_available() else "cpu", layers: str = "11") -> None:
    """One line for each shape, and sums of the 66 matrices of the layers."""
    device = torch.device(name)
    for row in (*measure(device, int(layers)), *compare(device)):
        print(" ".join(f"{key}: {shown(value)}" for key, value in row.items()))


def shown(value: Any) -> str:
    """Seconds as `wall (processors)`."""
    if isinstance(value, (tuple, list)) and isinstance(value[0], float):
        return f"{value[0]:.3f} s ({value[1]:.3f})"
    return " x ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
