"""Starts a worker script as the ranks of one gloo group."""

import os
from pathlib import Path

import torch

from pgolf.testing import warm


def run_ranks(script, world_size, folder):
    """What every rank saved, in order of rank; `script` is called with the path to save to."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "error"}
    for _ in range(5):
        done = warm.run_ranks(
            warm.Job([script, str(folder / "{rank}.pt")], Path.cwd(), environment), world_size, seconds=240
        )
        if not any(text in done.stderr for text in warm.CHANCE):
            break
    assert not done.status, done.stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(world_size)]
