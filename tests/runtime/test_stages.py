"""Whole runs with calibration: what is on the clock, what the log says of it, and what an overrun does."""

import itertools
import re

import pytest
import torch
from micro import MICRO, run_program
from models import VECTORS

from pgolf.logs import parse_log
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.stages import Stages

SAMPLES = VECTORS.parent / "sample_plugins"
NUMBERS = itertools.count()


def test_a_long_stage_speaks_now_and_then(monkeypatch):
    """Every ten seconds at most, and not at all where stages end more often."""
    now, said = [100.0], []
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    stages = Stages(said.append)
    for batch in range(1, 601):
        now[0] += 0.1
        stages.say(f"eval: batch {batch}")
        if batch == 250:
            stages.end("score", "val")
    assert said[2].startswith("stage:score begin:0ms end:25000ms")
    numbers = [int(text.split()[2]) for text in said if text.startswith("eval")]
    assert len(numbers) == 5 and all(100 <= there - here <= 152 for here, there in itertools.pairwise(numbers))
    assert 350 <= numbers[2] <= 352  # ten seconds after the stage that ended


def write(tmp_path, made):
    path = tmp_path / "entry.py"
    path.write_text(made.entry)
    return path


def line(run, start):
    """The one log line that begins so."""
    (found,) = [text for text in run.lines if text.startswith(start)]
    return found


def stages(run):
    """(name, begin, end, what it read) of every stage line, in order; milliseconds."""
    pattern = r"stage:(\w+) begin:(\d+)ms end:(\d+)ms data:(.+)"
    found = [re.fullmatch(pattern, text) for text in run.lines if text.startswith("stage:")]
    return [(match[1], int(match[2]), int(match[3]), match[4]) for match in found]


def sampled(tmp_path, micro_data, **variables):
    """A run of the sample plugin, which calibrates on two training batches and reserves one second."""
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "iterations": 100000, "max_wallclock_seconds": 600}
    layers = (("every_second_token",), ("step_clock",)) if variables.pop("steps", False) else (("every_second_token",),)
    made = resolve(Recipe("test", layers=layers, settings=settings), load_registry([SAMPLES]))
    return run_program(write(tmp_path, made), tmp_path / "run", micro_data, PYTHONPATH=str(SAMPLES), **variables)


def test_calibration_runs_in_the_reserve_and_every_stage_is_timed(tmp_path, micro_data):
    run = sampled(tmp_path, micro_data, MAX_WALLCLOCK_SECONDS="2.5")
    assert run.status == 0, run.output
    found = stages(run)
    assert [(name, data) for name, _, _, data in found] == [
        ("train", "train"),
        ("calibration", "train batches:2"),
        ("diagnostic", "val"),
        ("quantize", "none"),
        ("compress", "none"),
        ("decode", "none"),
        ("score", "val"),
    ]
    assert all(before[2] == after[1] for before, after in itertools.pairwise(found))
    (_, _, stop, _), (_, _, end, _) = found[:2]
    assert 1500 <= stop <= end <= 2500
    assert int(re.search(r"train_time:(\d+)ms", line(run, "stopping_early"))[1]) == stop
    assert line(run, "reserve_seconds") == "reserve_seconds:1.000"
    read = parse_log("\n".join(run.lines))
    assert [(stage.name, stage.begin_ms, stage.end_ms) for stage in read.stages] == [stage[:3] for stage in found]
    assert read.calibration.reserved and read.stop_ms == stop


def test_schedules_see_the_budget_without_the_reserve(tmp_path, micro_data):
    run = sampled(tmp_path, micro_data, steps=True, MAX_WALLCLOCK_SECONDS="1.5")
    assert run.status == 0, run.output
    assert line(run, "stopping_early") == "stopping_early: wallclock_cap train_time:500ms step:5/100000"
    assert "at step 4" in line(run, "receipt warmdown_iters") and "multiplier 1.0000" not in line(run, "receipt warmd")


def changed_sample(tmp_path, old, new):
    """The sample plugin with other text, as a plugin of its own; returns the entry's path and the plugin's folder."""
    name = f"changed_sample_{next(NUMBERS)}"  # modules of one name are loaded once
    text = (SAMPLES / "every_second_token.py").read_text().replace("every_second_token", name)
    assert old in text
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / f"{name}.py").write_text(text.replace(old, new))
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "max_wallclock_seconds": 600}
    made = resolve(Recipe("test", layers=((name,),), settings=settings), load_registry([folder]))
    return write(tmp_path, made), folder


def test_a_failure_while_packing_loses_neither_weights_nor_statistics(tmp_path, micro_data):
    path, folder = changed_sample(tmp_path, "return encoded\n", 'raise ValueError("the codes do not fit")\n')
    run = run_program(path, tmp_path / "run", micro_data, PYTHONPATH=str(folder))
    assert run.status == 1 and "Traceback" not in run.output
    assert line(run, "error:") == "error: the codes do not fit"
    weights = torch.load(run.folder / "final_model.pt", weights_only=True)
    statistics = torch.load(run.folder / "final_export.pt", weights_only=True)[0]
    assert statistics["blocks.0.mlp.fc.weight"]["hessian"].shape == (64, 64) and set(statistics) < set(weights)


def test_weights_are_on_disk_before_calibration_and_old_statistics_are_gone(tmp_path, micro_data):
    path, folder = changed_sample(tmp_path, "return [session", 'raise ValueError("no tokens"); return [session')
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "final_export.pt").write_bytes(b"of an earlier run")
    run = run_program(path, tmp_path / "run", micro_data, PYTHONPATH=str(folder))
    assert run.status == 1 and line(run, "error:") == "error: no tokens"
    assert (run.folder / "final_model.pt").exists() and not (run.folder / "final_export.pt").exists()


def test_training_data_are_closed_for_a_source_that_says_it_reads_none(tmp_path, micro_data):
    path, folder = changed_sample(tmp_path, 'reads = "train"', 'reads = ""')
    run = run_program(path, tmp_path / "run", micro_data, PYTHONPATH=str(folder))
    assert run.status == 1 and line(run, "error:") == "error: training data are closed: training time is over"


def test_a_source_without_training_data_runs_after_the_clock(tmp_path, micro_data):
    path, folder = changed_sample(
        tmp_path,
        'reads = "train"\n\n    def __call__(self, session):\n        return [session.next_batch()[0] for _ in range(2)]',
        'reads = ""\n\n    def __call__(self, session):\n        return [session.tokens[:32].long()[None]]',
    )
    run = run_program(path, tmp_path / "run", micro_data, PYTHONPATH=str(folder))
    assert run.status == 0, run.output
    assert stages(run)[1][0] == "calibration" and stages(run)[1][3] == "none batches:1"


@pytest.mark.ci
def test_calibration_that_ends_after_the_budget_fails_the_run_and_loses_nothing(tmp_path, micro_data):
    path, folder = changed_sample(tmp_path, "return [session", "import time; time.sleep(1.2); return [session")
    variables = {"PYTHONPATH": str(folder), "MAX_WALLCLOCK_SECONDS": "2", "ITERATIONS": "100000"}
    run = run_program(path, tmp_path / "run", micro_data, **variables)
    assert run.status == 1
    assert line(run, "error:").startswith("error: what reads training data ended at")
    assert (run.folder / "final_model.weighed.ptz").exists() and line(run, "final_weighed_zlib_roundtrip_exact")
