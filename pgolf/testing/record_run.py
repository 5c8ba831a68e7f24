"""Runs a training program as `python record_run.py PROGRAM.py OUT.json` and records what equality is judged by.

Nothing of the program is changed: every scalar that `backward` is called on is written down as exact hexadecimal text, and
at the end the artifact's hash, the trained weights' hash and the log's final lines.
"""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import torch

losses: list[str] = []
backward: Any = torch.Tensor.backward


def record(self: torch.Tensor, *args: Any, **kwargs: Any) -> None:
    """In place of `Tensor.backward`."""
    losses.append(float(self.detach()).hex())
    backward(self, *args, **kwargs)


def digest(pattern: str) -> str:
    """SHA-256 of the one file that matches."""
    (path,) = Path().glob(pattern)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state_digest() -> str:
    """SHA-256 over names and bytes of the trained tensors."""
    state = torch.load("final_model.pt", weights_only=True)
    whole = hashlib.sha256()
    for name, tensor in state.items():
        whole.update(name.encode() + tensor.float().numpy().tobytes())
    return whole.hexdigest()


def main(program: str, out: str) -> None:
    """Run, then write what there is to compare."""
    setattr(torch.Tensor, "backward", record)  # noqa: B010
    torch.set_num_threads(1)
    sys.argv = [program]
    status: Any = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as stop:
        status = stop.code
    (log,) = Path("logs").glob("*.txt")
    lines = log.read_text().splitlines()
    final = [line for line in lines if "_exact " in line or line.startswith("diagnostic")]
    receipts = [line.removeprefix("receipt ").partition(": ") for line in lines if line.startswith("receipt ")]
    found = {
        "losses": losses,
        "artifact": digest("final_model.*.ptz"),
        "state": state_digest(),
        "final": [line.split(" eval_time")[0] for line in final],
        # Real time is no difference between two runs.
        "receipts": {plugin: re.sub(r"[\d.]+ seconds", "some seconds", text) for plugin, _, text in receipts},
        "status": status,
    }
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:3])
