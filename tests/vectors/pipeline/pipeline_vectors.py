"""Golden cases of this folder: numbers computed with the public scripts, read back with their true dtypes.

`manifest_*.json` lists the cases: `file` holds arrays under `in/NAME` and `out/NAME`; `dtypes` their true dtype
(bfloat16 is stored as float32, bytes as uint8); `generated_inputs` are computed here instead of stored.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

FOLDER = Path(__file__).parent
MASK = (1 << 64) - 1


class Case(NamedTuple):
    """One case: its parameters, input and output tensors by name, and small expected values."""

    params: dict
    inputs: dict
    outputs: dict
    expected: dict


def load_case(name):
    """The case `name`, from whichever manifest lists it."""
    for manifest in sorted(FOLDER.glob("manifest*.json")):
        for entry in json.loads(manifest.read_text())["cases"]:
            if entry["id"] == name:
                return read_case(entry)
    raise KeyError(name)


def read_case(entry):
    """Tensors of a manifest entry, inputs in the manifest's order."""
    groups = {"in": {}, "out": {}}
    with np.load(FOLDER / entry["file"]) as arrays:
        for key, dtype in entry["dtypes"].items():
            side, _, name = key.partition("/")
            tensor = torch.from_numpy(np.array(arrays[key]))
            groups[side][name] = tensor.bfloat16() if dtype.startswith("bfloat16") else tensor
    for name, rule in entry.get("generated_inputs", {}).items():
        groups["in"][name] = generate(rule)
    return Case(entry.get("params", {}), groups["in"], groups["out"], entry.get("expected", {}))


def generate(rule):
    """A pseudo-random tensor: four 16-bit fields of splitmix64, summed and centred; standard deviation .577 * scale."""
    count = int(np.prod(rule["shape"]))
    with np.errstate(over="ignore"):
        z = np.uint64(rule["seed"] * 0xD1342543DE82EF95 & MASK) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    fields = sum(((z >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64) for shift in (0, 16, 32, 48))
    values = ((fields - 131070).astype(np.float32) / np.float32(65536)) * np.float32(rule["scale"])
    values = values.reshape(rule["shape"])
    if rule.get("row_exponents"):
        exponents = rule["row_exponents"]
        rows = np.array([2.0 ** exponents[i % len(exponents)] for i in range(values.shape[0])], dtype=np.float32)
        values = values * rows.reshape(-1, *[1] * (values.ndim - 1))
    return torch.from_numpy(values).to(getattr(torch, rule["dtype"]))
