"""Numbers of a run in TensorBoard's event file, read back, and in an offline run of Weights & Biases."""

import importlib.util
import subprocess
import sys

import pytest

from pgolf.errors import PgolfError
from pgolf.run import trackers
from pgolf.run.trackers import Tracker, check_trackers, numbers

LINES = """
step:1/4 train_loss:5.5000 train_time:100ms step_avg:100.00ms
step:2/4 val_loss:4.0000 val_bpb:2.5000 train_time:200ms step_avg:100.00ms
step:3/4 train_loss:nan train_time:300ms step_avg:100.00ms
Total submission size int8+zlib: 12345 bytes
final_int8_zlib_roundtrip_exact val_loss:3.00000000 val_bpb:1.75000000
step:4/4 train_loss:broken train_time:400ms
anything else
""".strip().splitlines()


class Kept:
    def __init__(self):
        self.rows, self.status = [], None

    def put(self, step, found):
        self.rows.append((step, found))

    def close(self, status):
        self.status = status


def test_what_lines_say():
    kept = Kept()
    with Tracker([kept], print) as tracker:
        for line in LINES:
            tracker.line(line)
        tracker.status = 0
    assert kept.rows[0] == (1, {"train/loss": 5.5, "train/seconds": 0.1})
    assert kept.rows[1] == (2, {"val/loss": 4.0, "val/bpb": 2.5, "train/seconds": 0.2})
    assert kept.rows[3:] == [(3, {"final/bytes": 12345.0}), (3, {"final/loss": 3.0, "final/bpb": 1.75})]
    assert kept.status == 0 and numbers("step:4/4 train_loss:broken train_time:400ms") == (None, {})


def test_a_service_that_fails_is_left_out_and_ends_nothing():
    class Fails(Kept):
        def put(self, step, found):
            raise RuntimeError("no\nnetwork")

    kept, said = Kept(), []
    with Tracker([Fails(), kept], said.append) as tracker:
        for line in LINES:
            tracker.line(line)
    assert said == ["warning: Fails is left out from here on: no"] and len(kept.rows) == 5 and kept.status == 1


def test_libraries_that_are_missing_are_said_at_once(monkeypatch):
    monkeypatch.setattr(trackers.importlib.util, "find_spec", lambda name: None)
    check_trackers(False, None)
    for tensorboard, wandb, said in (
        (True, None, "--tensorboard needs tensorboard"),
        (False, "golf", "--wandb needs wandb"),
    ):
        with pytest.raises(PgolfError, match=said) as caught:
            check_trackers(tensorboard, wandb)
        assert "pip install 'pgolf[" in caught.value.hint


SCRIPT = """
import sys
from pathlib import Path
from pgolf.run.trackers import open_tracker
lines = {lines!r}
with open_tracker(Path(sys.argv[1]), 7, {tensorboard}, {wandb!r}, {{"num_layers": 9}}, print) as tracker:
    for line in lines:
        tracker.line(line)
    tracker.status = 0
"""
READ = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1]).Reload()
for name in ("train/loss", "val/bpb", "final/bpb"):
    tensors = found.Tensors(name)
    print(name, [(one.step, round(float(one.tensor_proto.float_val[0]), 3)) for one in tensors])
"""


def python(code, *arguments, **options):
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False,
                          **options)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(importlib.util.find_spec("tensorboard") is None, reason="needs the extra tensorboard")
def test_an_event_file_is_read_back(tmp_path):
    python(SCRIPT.format(lines=LINES, tensorboard=True, wandb=None), tmp_path)
    folder = tmp_path / "artifacts/tensorboard/seed7"
    assert len(list(folder.glob("events.out.tfevents.*"))) == 1
    said = python(READ, folder).splitlines()
    assert said[0].startswith("train/loss [(1, 5.5), (3, nan)]")
    assert said[1:] == ["val/bpb [(2, 2.5)]", "final/bpb [(3, 1.75)]"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="needs the extra wandb")
def test_an_offline_run_of_wandb(tmp_path):
    import os

    env = {**os.environ, "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    python(SCRIPT.format(lines=LINES, tensorboard=False, wandb="golf"), tmp_path, env=env, cwd=tmp_path, timeout=240)
    (kept,) = tmp_path.glob("artifacts/wandb/offline-run-*/run-*.wandb")
    content = kept.read_bytes()
    assert all(word in content for word in (b"train/loss", b"final/bpb", b"num_layers"))
