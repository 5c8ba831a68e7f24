"""Sweeps without Ray: a file, a runner that makes trials up or really trains, one after the other."""

from pathlib import Path

from pgolf.sweep.cluster import Place
from pgolf.sweep.store import FINISHED, Row
from pgolf.sweep.sweep import Wishes, run_sweep

TOML = """
[search]
method = "grid"
[settings]
num_layers = [2, 3]
[plugins]
average = ["", "ema"]
[train]
smoke = true
"""


def write(folder, text=TOML, name="sweep.toml"):
    path = Path(folder) / name
    path.write_text(text)
    return path


def row_of(job, point, state=FINISHED, bpb=None, size=1000):
    """A made up row: fewer layers are better."""
    bpb = 1.0 + int(point.get("num_layers", 0)) / 10 if bpb is None else bpb
    return Row(job.key(point), job.fingerprint, point, state, val_bpb=bpb, bytes_total=size, trial_seconds=3.0,
               run_seconds=2.0)  # fmt: skip


def in_turn(most=10**9, **changes):
    """A runner that makes up a row for each point, and stops after some."""

    def run(job, keeper, place, cpus):
        for number in range(most):
            point = keeper.ask(str(number))
            if point is None:
                return
            row = row_of(job, keeper.search.canonical(point), **changes)
            keeper.result(str(number), {"row": row.dump()})

    return run


def sweep(path, folder, runner, place=None):
    """(outcome, rows that were said)."""
    said = []
    outcome = run_sweep(Wishes(path, folder), place or Place(), lambda row, done: said.append((done, row)), runner)
    return outcome, said
