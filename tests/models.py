"""Builds models the way a live run does: recipe -> entry module -> GPT. Shared by model and plugin tests."""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy
import torch

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import initialize

VECTORS = Path(__file__).parent / "vectors"
TINY = {"vocab_size": 256, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "num_layers": 4, "train_seq_len": 64}


@functools.cache
def registry():
    """Every built-in plugin."""
    return load_registry()


def resolved(*plugins, remove=(), **settings):
    """A resolved recipe at tiny size."""
    return resolve(Recipe("test", layers=(plugins,), remove=remove, settings={**TINY, **settings}), registry())


def built(*plugins, remove=(), seed=1, **settings):
    """(model, program, parameters, settings) of a recipe, initialised, in training mode."""
    entry = load_entry(resolved(*plugins, remove=remove, **settings).entry)
    program, parameters = entry.make_program(), entry.make_parameters()
    model = GPT(entry.SETTINGS, program, parameters, torch.device("cpu"), torch.float32)
    initialize(model, parameters, seed, Ledger())
    return SimpleNamespace(model=model, program=program, parameters=parameters, settings=entry.SETTINGS)


def scramble(model, seed=0):
    """Random values everywhere, so that no gate, scale or projection hides anything by being neutral."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
    return model


def tokens(batch=2, length=32, vocab_size=256, seed=0):
    """(ids, targets), each (batch, length)."""
    generator = torch.Generator().manual_seed(seed)
    stream = torch.randint(4, vocab_size, (batch, length + 1), generator=generator)
    return stream[:, :-1].contiguous(), stream[:, 1:].contiguous()


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
