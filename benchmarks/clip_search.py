"""Processor seconds of `clip_search` beside one solve with `sdclip`, with its floor and without.

    clip_search.py [LAYERS]

Random weights of deviation 1/20 and correlated inputs; width 512, MLP 2048, on the CPU. Weighted errors are sums of
tr(E H E^T).
"""

import sys
import time

import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe, dequantize
from pgolf_plugins.quantizer.clip_search import ClipSearch
from pgolf_plugins.quantizer.gptq import Gptq

SHAPES = {(512, 512): 2, (256, 512): 2, (2048, 512): 1, (512, 2048): 1}


def main(layers: str = "2") -> None:
    """One line for each recipe."""
    generator = torch.Generator().manual_seed(0)
    groups = []
    for (rows, columns), count in SHAPES.items():
        inputs = torch.randn(4096, columns, generator=generator) * 0.995 ** torch.arange(columns)
        inputs = inputs + inputs.roll(1, 1)
        number = count * int(layers)
        weights = [torch.randn(rows, columns, generator=generator) / 20 for _ in range(number)]
        groups.append((weights, [{"hessian": inputs.T @ inputs / 4096}] * number))
    recipes = {
        "sdclip": SpreadRecipe("sdclip", "int6", 31, 12.85, (), Gptq(128, 0.01)),
        "clip_search, floor 1/31": ClipSearch(1 / 31, Gptq(128, 0.01)),
        "clip_search, no floor": ClipSearch(0.0, Gptq(128, 0.01)),
    }
    for name, recipe in recipes.items():
        begin, error = time.process_time(), 0.0
        for weights, known in groups:
            found = recipe.encode_group(["w"] * len(weights), weights, known, Ledger())
            for weight, parts, statistics in zip(weights, found, known, strict=True):
                missed = weight - dequantize(parts["codes"], parts["step"], torch.float32)
                error += ((missed @ statistics["hessian"]) * missed).sum().item()
        print(f"{name:24} {time.process_time() - begin:6.2f} s, weighted error {error:.4g}")


if __name__ == "__main__":
    main(*sys.argv[1:])
