"""The same program with one sequence at a time, for a GPU on which full shapes do not fit uncompiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pgolf.errors import PgolfError
from pgolf.files import write_atomically
from pgolf.lock import read_lock
from pgolf.resolve import resolve
from pgolf.run.launch import Target
from pgolf.run.target import LIVE_NAME
from pgolf.settings import MICRO_BATCHES

if TYPE_CHECKING:
    from pgolf.manager import Registry

ROWS = ("global_ttt_batch_seqs", "ttt_batch_seqs", "ttt_batch_size")
"""Settings of plugins that say how many rows an evaluation has side by side, on all ranks together."""
TOKENS = ("batch_tokens_start", "train_batch_tokens")


def fewer_sequences(target: Target, registry: Registry, plugin_dirs: Sequence[Path], folder: Path) -> Target | None:
    """The live program of a build, written to the folder, with micro-batches of one sequence in training and in scoring.

    Lengths stay, and so do the model and all that follows training. None where another setting contradicts such batches.
    """
    recipe, values = read_lock(target.root).to_recipe(), target.settings
    length = int(values["train_seq_len"])
    scored = int(values["eval_seq_len"]) or length
    small = dict.fromkeys(ROWS, MICRO_BATCHES) | dict.fromkeys(TOKENS, MICRO_BATCHES * length)
    small["val_batch_size"] = MICRO_BATCHES * scored
    less = {name: value for name, value in small.items() if int(values.get(name, 0)) > value}
    try:
        resolved = resolve(replace(recipe, settings={**recipe.settings, **less}), registry)
    except PgolfError:
        return None
    path = folder / LIVE_NAME
    write_atomically(path, resolved.entry.encode())
    settings = resolved.selection.settings.as_dict()
    return replace(target, script=path, settings=settings, python_path=tuple(one.resolve() for one in plugin_dirs))
