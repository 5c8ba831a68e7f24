"""A run that is forecast surely over the cap is ended; anything less sure ends nothing."""

import json
import sys
import time

import pytest
from folders import PROGRAM, make_data
from test_launch import target_of

from pgolf.run.bytes_watch import BytesWatch, command_of, verdict
from pgolf.run.data import find_data
from pgolf.run.launch import RunOptions, run_seed
from pgolf.run.watcher import StopRun

OVER = {"fits": False, "certain": True, "bytes_total": 16_500_000, "cap": 16_000_000, "uncertainty_bytes": 80_000}


def printing(document):
    return [sys.executable, "-c", f"print({json.dumps(document)!r})"]


def test_what_ends_a_run():
    assert "16,500,000 bytes, 500,000 over the cap, surely (+- 80,000)" in verdict(json.dumps(OVER).encode())
    for change in ({"fits": True}, {"certain": False}):
        assert verdict(json.dumps({**OVER, **change}).encode()) == ""
    for output in (b"", b"[]", b"{}", b"error", b"null"):
        assert verdict(output) == "", "a forecast that fails ends nothing"


def test_it_is_said_once_at_a_line_of_the_run():
    with BytesWatch(printing(OVER)) as watch:
        watch.process.wait()
        with pytest.raises(StopRun, match="500,000 over"):
            watch.line("step:1/2")
        watch.line("step:2/2")
    with BytesWatch(None) as watch:
        watch.line("step:1/2")


def test_a_forecast_that_is_not_done_is_ended_with_the_run():
    with BytesWatch([sys.executable, "-c", "import time; time.sleep(600)"]) as watch:
        process = watch.process
        watch.line("step:1/2")
        assert process.poll() is None
    assert process.poll() is not None


def test_a_run_is_ended(tmp_path):
    code = PROGRAM.replace(
        "    for step in (1, 2):", "    import time\n    for step in range(1, 3000):\n        time.sleep(0.01)"
    )
    target = target_of(tmp_path / "toy", code)
    begin = time.monotonic()
    with BytesWatch(printing(OVER)) as watch:
        options = RunOptions(find_data(make_data(tmp_path / "data"), None, {}, False))
        done = run_seed(target, 7, options, watch.line)
    assert done.status == 1 and "500,000 over the cap" in done.problem and time.monotonic() - begin < 25


@pytest.mark.slow
def test_a_real_recipe_that_is_too_large(tmp_path):
    import subprocess

    (tmp_path / "recipe.toml").write_text("name = 'large'\n[settings]\nnum_layers = 40\n")
    done = subprocess.run(command_of(tmp_path / "recipe.toml", ()), capture_output=True, check=False)
    assert "over the cap, surely" in verdict(done.stdout)
