"""What is opened and written when, a clock that runs by itself, shards under any name."""

import pytest
from probe_runs import run_lines  # noqa: F401

READ = """
import glob, numpy as np
def train(): return int(np.fromfile(sorted(glob.glob("./somewhere/fineweb_train_*.bin"))[0], "<u2")[512:].astype(int).sum())
"""


@pytest.mark.ci
def test_events_and_artifacts(run_lines):  # noqa: F811
    found = run_lines(
        READ
        + """
train()
open("notes.txt", "w").write("a"); open("model.bin", "wb").write(b"b")
import torch; torch.save(1, "model.pt")
assert train() > 0
"""
    )
    kinds = [(event["kind"], event.get("what", event.get("name"))) for event in found.events]
    assert kinds[0] == ("open", "train") and kinds[-1] == ("open", "train") and ("write", "model.bin") in kinds
    assert {*found.artifacts} == {"model.bin", "model.pt"} and found.events[-1]["line"] == 3 and not found.error


def test_an_artifact_that_gets_its_name_later(run_lines):  # noqa: F811
    found = run_lines("""
import os
from pathlib import Path
Path("model.ptz.part").write_bytes(b"a"); os.replace("model.ptz.part", "model.ptz")
Path("second.tmp").write_bytes(b"b"); Path("second.tmp").rename("notes.txt")
""")
    assert {*found.artifacts} == {"model.ptz"} and found.error == ""
    assert [event["name"] for event in found.of("write")] == ["model.ptz", "second.tmp"]


def test_a_clock_that_is_the_same_each_time(run_lines):  # noqa: F811
    text = "import time\ntime.sleep(1000)\nprint(time.time(), time.perf_counter(), time.monotonic_ns() > 0)\n"
    assert run_lines(text).printed == run_lines(text).printed != ""


def test_tokenizers_of_any_name(run_lines):  # noqa: F811
    found = run_lines("""
import sentencepiece as spm
from pathlib import Path
model = spm.SentencePieceProcessor(model_file="/data/tokenizers/fineweb_8192_bpe.model")
assert model.vocab_size() == 1024 and len(list(Path("/data").glob("fineweb_val_*.bin"))) == 1
""")
    assert found.error == ""
