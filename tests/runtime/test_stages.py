"""Whole runs with calibration: what is on the clock, what the log says of it, and what an overrun does."""

import itertools
import re

from micro import MICRO, run_program
from models import VECTORS

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve

SAMPLES = VECTORS.parent / "sample_plugins"


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


def test_schedules_see_the_budget_without_the_reserve(tmp_path, micro_data):
    run = sampled(tmp_path, micro_data, steps=True, MAX_WALLCLOCK_SECONDS="1.5")
    assert run.status == 0, run.output
    assert line(run, "stopping_early") == "stopping_early: wallclock_cap train_time:500ms step:5/100000"
    assert "at step 4" in line(run, "receipt warmdown_iters") and "multiplier 1.0000" not in line(run, "receipt warmd")


def test_calibration_that_ends_after_the_budget_fails_the_run_and_loses_nothing(tmp_path, micro_data):
    slow = (SAMPLES / "every_second_token.py").read_text().replace("every_second_token", "slow_tokens")
    slow = slow.replace("return [session", "import time; time.sleep(1.2); return [session")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "slow_tokens.py").write_text(slow)
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "iterations": 100000, "max_wallclock_seconds": 600}
    made = resolve(Recipe("test", layers=(("slow_tokens",),), settings=settings), load_registry([folder]))
    run = run_program(
        write(tmp_path, made), tmp_path / "run", micro_data, PYTHONPATH=str(folder), MAX_WALLCLOCK_SECONDS="2"
    )
    assert run.status == 1
    assert "error: calibration from training data ended at" in line(run, "error:")
    assert (run.folder / "final_model.weighed.ptz").exists() and line(run, "final_weighed_zlib_roundtrip_exact")
