"""How small a proof's runs are: below smoke size, so that a stage takes seconds, but with every branch of smoke size.

A proof compares programs with each other, so only what is executed counts: several micro-batches a step, several batches
and a rest in each evaluation, windows shorter than sequences. The width stays: quantizers leave smaller matrices alone.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgolf.recipe import Recipe
from pgolf.run.data import SIDE_GLOB, TRAIN_GLOB, VAL_GLOB, DataPaths

PROOF_SETTINGS: dict[str, Any] = {
    "train_batch_tokens": 1024,
    "train_seq_len": 64,
    "val_batch_size": 1024,
    # plugin settings, used where the plugin is selected
    "eval_stride": 32,
    "swa_window": 16,
}
VALIDATION_TOKENS = 3500
HEADER_BYTES = 1024
COUNT_OFFSET = 8


def proof_recipe(smoke: Recipe) -> Recipe:
    """A recipe at smoke size made smaller still, where it has the settings and the command line has not set them."""
    small = {
        name: value for name, value in PROOF_SETTINGS.items() if name in smoke.settings and name not in smoke.fixed
    }
    return replace(smoke, settings={**smoke.settings, **small})


def trimmed(paths: DataPaths, folder: Path) -> DataPaths:
    """The same data, but `VALIDATION_TOKENS` of the first validation shard and its side file; links to training shards."""
    folder.mkdir()
    for path in sorted(paths.data_path.glob(TRAIN_GLOB)):
        (folder / path.name).symlink_to(path.resolve())
    for pattern in (VAL_GLOB, SIDE_GLOB):
        for first in sorted(paths.data_path.glob(pattern))[:1]:
            (folder / first.name).write_bytes(head(first))
    return replace(paths, data_path=folder)


def head(path: Path) -> bytes:
    """A shard of the first `VALIDATION_TOKENS` entries of another, or of all where there are fewer."""
    with path.open("rb") as shard:
        data = shard.read(HEADER_BYTES + 2 * VALIDATION_TOKENS)
    count = (len(data) - HEADER_BYTES) // 2
    return data[:COUNT_OFFSET] + struct.pack("<i", count) + data[COUNT_OFFSET + 4 :]
