"""Seconds that GPTQ takes on this machine: solving the matrices of an 11-layer model, and summing one micro-batch's inputs.

    gptq.py [DEVICE] [LAYERS]

Random weights and inputs; width 512, MLP 2048, vocabulary 8192, one micro-batch of 98,304 tokens (a twelfth on a CPU). Every
matrix is solved after a first one that is not counted.
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


def now(device: torch.device) -> float:
    """The time once the device has finished what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def main(name: str = "cuda" if torch.cuda.is_available() else "cpu", layers: str = "11") -> None:
    """One line for each shape and one for all of them."""
    device = torch.device(name)
    rows = 98304 if device.type == "cuda" else 8192
    recipe, total = SpreadRecipe("sdclip", 6, 12.85, (), Gptq(128, 0.01)), 0.0
    torch.backends.cuda.matmul.allow_tf32 = True
    for shape_name, shape in SHAPES.items():
        inputs = torch.randn(rows, shape[1], device=device).bfloat16()
        weight = torch.randn(shape, device=device) / 20
        observer = HessianObserver()
        observer("x", 0, inputs)
        begin = now(device)
        observer("x", 0, inputs)
        observed = now(device) - begin
        statistics = {"hessian": observer.sums["x", 0].float()}
        recipe.encode(shape_name, weight, statistics, Ledger())
        begin = now(device)
        recipe.encode(shape_name, weight, statistics, Ledger())
        solved = now(device) - begin
        count = PER_LAYER.get(shape_name, 0) * int(layers) or 1
        total += count * solved
        times = f"solve {solved:7.3f} s, observe {1000 * observed:7.2f} ms"
        print(f"{shape_name:8} {shape[0]:5} x {shape[1]:4}: {times}, {count} of them")
    print(f"{device}: all matrices {total:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
