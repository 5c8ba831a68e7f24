"""Ranks that fail end the run at once, and the log says why; ranks without work join the others."""

import time

import pytest
from micro import MICRO, run_program
from models import VECTORS

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.distributed import World, gather_over_ranks, take_turns
from pgolf.score_ledger import read_score_ledger

SAMPLES = VECTORS.parent / "sample_plugins"


def run_failing(failure, tmp_path, data):
    """Two ranks in a run of one step whose evaluation ends in some way; (run, seconds). torchrun ends the other rank."""
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2, "iterations": 1, "failure": failure}
    made = resolve(Recipe("test", layers=(("failing_evaluation",),), settings=settings), load_registry([SAMPLES]))
    path = tmp_path / "entry.py"
    path.write_text(made.entry)
    begin = time.monotonic()
    launcher = failure in ("raise", "kill")
    run = run_program(path, tmp_path / "run", data, ranks=2, launcher=launcher, PYTHONPATH=str(SAMPLES))
    return run, time.monotonic() - begin


@pytest.mark.ci
def test_an_exception_on_any_rank_is_in_the_log(tmp_path, micro_data):
    run, seconds = run_failing("raise", tmp_path, micro_data)
    text = "\n".join(run.lines)
    assert run.status != 0 and seconds < 100
    assert "Traceback (most recent call last)" in text and "RuntimeError: the last rank gives up" in text


def test_what_the_tally_refuses_on_any_rank_is_one_line(tmp_path, micro_data):
    run, _ = run_failing("twice", tmp_path, micro_data)
    text = "target 1 of the validation stream is scored twice, or first"
    assert run.status != 0 and f"rank 1: error: {text}" in run.lines
    assert not any("Traceback" in line for line in run.lines if line.startswith("rank 1"))


@pytest.mark.ci
def test_a_killed_rank_ends_the_run_and_the_others_say_where_they_stood(tmp_path, micro_data):
    run, seconds = run_failing("kill", tmp_path, micro_data)
    after = run.lines[max(n for n, line in enumerate(run.lines) if line.startswith("final_")) :]
    assert run.status != 0 and seconds < 100
    assert any("Connection closed by peer" in line or line.startswith("Current thread") for line in after), after
    assert any("File " in line for line in after)


def test_a_rank_without_work_joins(tmp_path, micro_data):
    run, _ = run_failing("late", tmp_path, micro_data)
    assert run.status == 0, run.output
    (line,) = [line for line in run.lines if line.startswith("all scored")]
    ledger = read_score_ledger(run.folder / "logs" / "run.scores.npz")
    assert line == f"all scored: True, {(len(ledger.scored_at) - 1) // 32} here"
    assert ledger.problems() == []


@pytest.mark.parametrize("count", [0, 3])
def test_one_rank_does_all_the_work(count):
    alone = World(0, 1, 0, None)
    assert list(take_turns("a", count, alone)) == list(range(count)) and gather_over_ranks("x", alone) == ["x"]
