"""Runs a training program as `python record_run.py PROGRAM.py OUT.json` and records what equality is judged by.

Nothing of the program is changed: every scalar that `backward` is called on is written down as exact hexadecimal text, and
at the end the artifact's hash, the trained weights' hash and the log's final lines.
"""

import hashlib
import json
import runpy
import sys
from pathlib import Path

import torch

losses = []
backward = torch.Tensor.backward


def record(self, *args, **kwargs):
    losses.append(float(self.detach()).hex())
    return backward(self, *args, **kwargs)


def digest(pattern):
    """SHA-256 of the one file that matches."""
    (path,) = Path().glob(pattern)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state_digest():
    """SHA-256 over names and bytes of the trained tensors."""
    state = torch.load("final_model.pt", weights_only=True)
    whole = hashlib.sha256()
    for name, tensor in state.items():
        whole.update(name.encode() + tensor.float().numpy().tobytes())
    return whole.hexdigest()


if __name__ == "__main__":
    torch.Tensor.backward = record
    torch.set_num_threads(1)
    program, out = sys.argv[1:3]
    sys.argv = [program]
    status = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as stop:
        status = stop.code
    (log,) = Path("logs").glob("*.txt")
    final = [line for line in log.read_text().splitlines() if "_exact " in line or line.startswith("diagnostic")]
    final = [line.split(" eval_time")[0] for line in final]
    found = {"losses": losses, "artifact": digest("final_model.*.ptz"), "state": state_digest(), "final": final}
    Path(out).write_text(json.dumps({**found, "status": status}))
