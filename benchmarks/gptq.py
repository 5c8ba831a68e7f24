"""Seconds that GPTQ takes on this machine: solving the matrices of an 11-layer model, and summing one micro-batch's inputs.

    gptq.py [DEVICE] [LAYERS]

Random weights and inputs; width 512, MLP 2048, vocabulary 8192, one micro-batch of 98,304 tokens (a twelfth on a CPU). Matrices
of one shape and class are solved together, as an export does it; "one by one" is one of them, times their number. The first
group of all is solved once before.
Seconds of the wall, and of processors.
"""

import sys
import time

import torch

from pgolf.runtime.calibrate import HessianObserver
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe
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


def main(name: str = "cuda" if torch.cuda.is_available() else "cpu", layers: str = "11") -> None:
    """One line for each shape, and sums of the 66 matrices of the layers."""
    device = torch.device(name)
    rows = 98304 if device.type == "cuda" else 8192
    recipe = SpreadRecipe("sdclip", 6, 12.85, (), Gptq(128, 0.01))
    torch.backends.cuda.matmul.allow_tf32 = True
    totals = {"together": [0.0, 0.0], "one by one": [0.0, 0.0]}
    for place, (shape_name, shape) in enumerate(SHAPES.items()):
        inputs = torch.randn(rows, shape[1], device=device).bfloat16()
        observer = HessianObserver()
        observer("x", 0, inputs)
        begin = now(device)
        observer("x", 0, inputs)
        observed = since(begin, device)
        statistics = {"hessian": observer.sums["x", 0].float()}
        count = PER_LAYER.get(shape_name, 0) * int(layers) or 1
        names, weights = [shape_name] * count, [torch.randn(shape, device=device) / 20 for _ in range(count)]
        if not place:
            recipe.encode_group(names, weights, [statistics] * count, Ledger())
        begin = now(device)
        recipe.encode_group(names, weights, [statistics] * count, Ledger())
        together = since(begin, device)
        begin = now(device)
        recipe.encode(shape_name, weights[0], statistics, Ledger())
        apart = [count * spent for spent in since(begin, device)]
        for key, spent in (("together", together), ("one by one", apart)):
            if shape_name in PER_LAYER:
                totals[key] = [total + one for total, one in zip(totals[key], spent, strict=True)]
        times = f"together {together[0]:6.2f} s ({together[1]:6.2f}), one by one {apart[0]:6.2f} s ({apart[1]:6.2f})"
        print(f"{shape_name:8} {count:2} of {shape[0]:5} x {shape[1]:4}: {times}, observe {1000 * observed[0]:7.2f} ms")
    for key, (wall, processors) in totals.items():
        print(
            f"{device}, {sum(PER_LAYER.values()) * int(layers)} matrices of the layers {key}: {wall:.2f} s ({processors:.2f})"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
