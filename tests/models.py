"""Builds models the way a live run does: recipe -> entry module -> GPT. Shared by model and plugin tests."""

import json
from pathlib import Path

import numpy
import torch

from pgolf.testing import TINY, make_model, resolve_tiny, scramble, tiny_tokens
from pgolf.testing.models import known_plugins

__all__ = ["TINY", "VECTORS", "Case", "built", "registry", "resolved", "scramble", "tokens"]

VECTORS = Path(__file__).parent / "vectors"


def registry():
    """Every built-in plugin."""
    return known_plugins()


resolved, built, tokens = resolve_tiny, make_model, tiny_tokens


class Case:
    """One golden case of a model vector file: `inputs`, `params`, `outputs`, `tolerance`."""

    def __init__(self, file, name):
        arrays = numpy.load(VECTORS / "model" / f"{file}.npz")
        cases = {case["case"]: case for case in json.loads((VECTORS / "model" / f"{file}.json").read_text())["cases"]}
        self.record = cases[name]
        self.tolerance = self.record["tolerance"]
        self.inputs = self.part(arrays, name, "in")
        self.outputs = self.part(arrays, name, "out")
        self.params = self.part(arrays, self.record.get("params_from", name), "param")
        self.arrays = arrays

    @staticmethod
    def part(arrays, name, kind):
        prefix = f"{name}.{kind}."
        return {key[len(prefix) :]: torch.from_numpy(arrays[key]) for key in arrays.files if key.startswith(prefix)}

    def check(self, name, found):
        """Assert one output within its stated tolerance; returns the largest deviation."""
        want = self.outputs[name].to(found.dtype)
        limits = self.tolerance.get(name, self.tolerance if "rtol" in self.tolerance else {"rtol": 1e-4, "atol": 1e-4})
        torch.testing.assert_close(found, want, rtol=limits["rtol"], atol=limits["atol"], equal_nan=True)
        return (found - want).abs().nan_to_num().max().item()
