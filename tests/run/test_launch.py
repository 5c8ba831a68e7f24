"""Launching with a stand-in program: logs and artifacts are kept whatever happens."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from folders import PROGRAM, make_data, make_folder

from pgolf.component import Need
from pgolf.errors import PgolfError
from pgolf.run import launch
from pgolf.run.data import find_data
from pgolf.run.display import Pace, open_display
from pgolf.run.launch import RunOptions, Target, check_ready, command_line, error_line, run_environment, run_seed
from pgolf.run.process import stream


def target_of(folder, code=PROGRAM, **changes):
    """A target whose script is `code`."""
    make_folder(folder, code.encode(), trained=False)
    values = {"settings": {"seed": 1337}, "needs": (), "smoke": True} | changes
    return Target(root=folder, script=folder / "train_gpt.py", **values)


@pytest.fixture
def options(tmp_path):
    return RunOptions(find_data(make_data(tmp_path / "data"), None, {}, False))


def run(target, options, seed=7):
    lines = []
    return run_seed(target, seed, options, lines.append), lines


def test_a_good_run_leaves_log_and_artifact(tmp_path, options):
    done, lines = run(target_of(tmp_path / "toy"), options)
    assert (done.problem, done.status, done.record.seed) == ("", 0, 7)
    assert done.log == tmp_path / "toy/logs/train_seed7.log" and done.log.read_text().splitlines() == lines
    assert [path.name for path in done.artifacts] == ["final_model.int8.ptz"]
    assert done.as_record()["val_bpb"] == float(done.record.headline.val_bpb)


def test_a_failed_run_keeps_its_log_and_names_the_error(tmp_path, options):
    code = PROGRAM.replace('say("receipt beta: 1 layers")', 'raise ValueError("no luck")')
    done, _ = run(target_of(tmp_path / "toy", code), options)
    assert (done.status, done.problem) == (1, "ValueError: no luck")
    assert "receipt alpha" in done.log.read_text()


def test_a_run_that_dies_before_its_log_keeps_what_it_printed(tmp_path, options):
    done, _ = run(target_of(tmp_path / "toy", "print('hello')\nimport nothing_of_that_name\n"), options)
    assert "ModuleNotFoundError" in done.problem
    assert done.log.read_text().startswith("hello\n")


def test_a_run_without_a_score_is_a_failure(tmp_path, options):
    done, _ = run(target_of(tmp_path / "toy", "print('all is well')\n"), options)
    assert done.status == 0 and "without a final score" in done.problem


def test_an_earlier_result_is_set_aside_and_not_lost_to_a_failure(tmp_path, options):
    target = target_of(tmp_path / "toy")
    run(target, options)
    good = target.script.read_text()
    target.script.write_text("raise SystemExit(3)\n")
    for _ in range(2):
        assert run(target, options)[0].problem
    kept = tmp_path / "toy/artifacts/seed7.previous"
    assert (kept / "final_model.int8.ptz").exists() and (kept / "logs/train_seed7.txt").exists()
    target.script.write_text(good)
    assert not run(target, options)[0].problem


CRASHES = PROGRAM.replace(
    "    path.write_bytes(model)\n",
    "    pathlib.Path('final_model.pt').write_bytes(model)\n"
    "    pathlib.Path('final_export.pt').write_bytes(b'')\n"
    "    raise ValueError('no room')\n",
)
EXPORTS = """
import pathlib, sys
assert sys.argv[1:] == ["export"]
pathlib.Path("final_model.int8.ptz").write_bytes(pathlib.Path("final_model.pt").read_bytes())
with pathlib.Path("logs/train_seed7.txt").open("a") as log:
    print("Total submission size int8+zlib: 100 bytes", file=log)
    print("final_int8_zlib_roundtrip_exact val_loss:2.00000000 val_bpb:1.00000000", file=log)
"""


def test_what_a_crash_has_left_is_exported(tmp_path, options):
    """In the folder of the run, with one log of both."""
    target = target_of(tmp_path / "toy", CRASHES)
    died = run(target, options)[0]
    assert died.problem == "ValueError: no room" and died.can_export and not died.artifacts
    target.script.write_text(EXPORTS)
    done = run(target, RunOptions(options.data, export=True))[0]
    assert (
        not done.problem and not done.can_export and [path.name for path in done.artifacts] == ["final_model.int8.ptz"]
    )
    text = done.log.read_text()
    assert "step:2/2" in text and "final_int8_zlib_roundtrip_exact" in text
    assert not list((tmp_path / "toy/logs").glob(".*"))


def test_there_must_be_something_to_export(tmp_path, options):
    with pytest.raises(PgolfError, match=r"there is no final_model.pt of seed 7") as caught:
        run(target_of(tmp_path / "toy"), RunOptions(options.data, export=True))
    assert caught.value.code == "PG001" and not (tmp_path / "toy/artifacts").exists()


def test_weights_are_set_aside_and_never_in_the_place_of_an_artifact(tmp_path, options):
    target, kept = target_of(tmp_path / "toy", CRASHES), tmp_path / "toy/artifacts/seed7.previous"
    for _ in range(2):
        assert run(target, options)[0].can_export
    assert (kept / "final_model.pt").exists()
    target.script.write_text(PROGRAM)
    assert not run(target, options)[0].problem
    target.script.write_text(CRASHES)
    for _ in range(2):
        assert run(target, options)[0].can_export
    assert (kept / "final_model.int8.ptz").exists()


def test_the_environment_says_what_varies(tmp_path, options, monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.delenv("ITERATIONS", raising=False)
    env = run_environment(target_of(tmp_path / "toy"), 7, options)
    assert env["SEED"] == "7" and env["DATA_PATH"].endswith("toy_sp16") and "RANK" not in env
    assert env["OMP_NUM_THREADS"] == str(min(2, os.cpu_count()))
    assert "ITERATIONS" not in env
    full = RunOptions(options.data, iterations=3, max_wallclock_seconds=0.0)
    env = run_environment(target_of(tmp_path / "toy", smoke=False), 7, full)
    assert (env["ITERATIONS"], env["MAX_WALLCLOCK_SECONDS"]) == ("3", "0.0")


def test_a_live_run_imports_from_plugin_folders(tmp_path, options, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    env = run_environment(target_of(tmp_path / "toy", python_path=(tmp_path,)), 7, options)
    assert env["PYTHONPATH"] == os.pathsep.join([str(tmp_path), "/somewhere"])


def test_several_processes_go_through_torchrun(tmp_path):
    assert command_line(tmp_path / "x.py", RunOptions(None)) == [sys.executable, str(tmp_path / "x.py")]
    several = command_line(tmp_path / "x.py", RunOptions(None, nproc=4, export=True))
    assert "--nproc-per-node=4" in several and several[-2:] == [str(tmp_path / "x.py"), "export"]


def test_what_a_run_needs_is_checked_first(tmp_path, monkeypatch):
    with pytest.raises(PgolfError, match="there is no script"):
        check_ready(Target(tmp_path, tmp_path / "none.py", {}, (), True))
    here = (Need("python", "brotli", "packs"), Need("program", "sh", "runs"))
    missing = (Need("python", "no_such_wheel", "speaks"), Need("program", "no_such_program", "sings"))
    with pytest.raises(PgolfError, match="the python no_such_wheel is not here") as caught:
        check_ready(target_of(tmp_path / "toy", needs=(*here, *missing)))
    assert caught.value.code == "PG004" and "the program no_such_program is not here (sings)" in caught.value.message
    assert caught.value.hint == "pip install no_such_wheel; apt-get install no_such_program"
    check_ready(target_of(tmp_path / "toy", needs=here))
    monkeypatch.setattr(launch, "FREE_BYTES", 2**60)
    with pytest.raises(PgolfError, match="MiB are free"):
        check_ready(target_of(tmp_path / "toy"))


@pytest.mark.parametrize(
    ("tail", "wanted"),
    [
        (["Traceback", "ValueError: a", "  note"], "ValueError: a"),
        (["[rank0]: torch.OutOfMemoryError: big", "torchrun says"], "torch.OutOfMemoryError: big"),
        (["error: the shard is damaged"], "error: the shard is damaged"),
        (["Killed", ""], "Killed"),
        ([], ""),
    ],
)
def test_the_error_line(tail, wanted):
    assert error_line(tail) == wanted


def test_an_interrupt_ends_the_child_and_keeps_the_log(tmp_path):
    """A parent that gets SIGTERM stops its run: rented hardware must not go on alone."""
    data = make_data(tmp_path / "data")
    code = PROGRAM.replace('    model = b"model"', "    import time\n    time.sleep(120)\n    model = b'model'")
    folder = tmp_path / "toy"
    make_folder(folder, code.encode(), trained=False)
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from pgolf.run.data import find_data
        from pgolf.run.launch import RunOptions, Target, run_seed
        folder = Path({str(folder)!r})
        target = Target(folder, folder / "train_gpt.py", {{}}, (), True)
        run_seed(target, 7, RunOptions(find_data(Path({str(data)!r}), None, {{}}, False)), lambda line: print(line, flush=True))
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    for line in parent.stdout:
        if line.startswith("step:2"):
            break
    begin = time.monotonic()
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(30) != 0 and time.monotonic() - begin < 20
    parent.stdout.close()
    assert "step:1/2" in (folder / "logs/train_seed7.log").read_text()


@pytest.mark.ci
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc")
def test_a_killed_parent_takes_everything_with_it(tmp_path):
    """Also what the command has started in a session of its own, and what ignores SIGTERM."""
    stubborn = "import os, pathlib, signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    far = stubborn + "pathlib.Path(f'pid{os.getpid()}').touch()\ntime.sleep(60)\n"
    near = stubborn + f"subprocess.Popen([sys.executable, '-c', {far!r}], start_new_session=True)\n{far}"
    script = "import os, sys; from pathlib import Path; from pgolf.run.process import stream\n"
    script += "stream([sys.executable, '-c', sys.argv[1]], Path(sys.argv[2]), os.environ, print)"
    parent = subprocess.Popen([sys.executable, "-c", script, near, str(tmp_path)])
    end = time.monotonic() + 60
    while len(pids := [int(path.name[3:]) for path in tmp_path.glob("pid*")]) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    while any(Path(f"/proc/{pid}").is_dir() for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").is_dir() for pid in pids)


def test_the_status_of_the_command_is_that_of_its_keeper(tmp_path):
    for code, status in (("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9), ("", 0)):
        assert stream([sys.executable, "-c", code], tmp_path, os.environ, print) == status


def test_a_killed_run_never_takes_the_place_of_a_complete_one(tmp_path, options):
    """It has written its artifact and not scored it; or its artifact is not that of its log."""
    target, kept = target_of(tmp_path / "toy"), tmp_path / "toy/artifacts/seed7.previous"
    assert not run(target, options)[0].problem
    good, whole = target.script.read_text(), (tmp_path / "toy/artifacts/seed7/final_model.int8.ptz").read_bytes()
    dies = good.replace('    say(f"Code size', '    os.kill(os.getpid(), 9)\n    say(f"Code size').replace(
        'b"model" *', 'b"other" *'
    )
    swaps = good + "\npath.write_bytes(b'swapped')\n"
    for script in (dies, dies, swaps, good):
        target.script.write_text(script)
        run(target, options)
        assert (kept / "final_model.int8.ptz").read_bytes() == whole


@pytest.mark.parametrize("what", ["artifacts", "logs", "artifacts/seed7"])
def test_a_folder_that_cannot_be_written_is_one_line(what, tmp_path, options):
    target = target_of(tmp_path / "toy")
    (target.root / what).parent.mkdir(exist_ok=True)
    (target.root / what).write_text("a file where a folder belongs")
    with pytest.raises(PgolfError, match="cannot write") as caught:
        run(target, options)
    assert caught.value.code == "PG001"


def test_the_bar_shows_results_and_the_plain_display_everything(capsys):
    for terminal in (True, False):
        with open_display("seed 1", terminal) as display:
            display.line("step:1/2 train_loss:3.0000 train_time:1ms step_avg:1.00ms")
            display.line("warmup_step:1/1")
            display.line("final_int8_zlib_roundtrip val_loss:2.5 val_bpb:1.25 eval_time:1ms")
            display.line("stage:decode begin:1ms end:2ms data:none")
            display.line("eval: batch 7")
        shown = capsys.readouterr()
        assert shown.out == "" and "val_bpb:1.25" in shown.err
        assert "stage:decode" in shown.err and "eval: batch 7" in shown.err
        assert ("warmup_step" in shown.err) != terminal


def test_the_pace_of_a_run():
    pace = Pace()
    for line in (
        "train_batch_tokens:1000 train_seq_len:8 iterations:100 warmup_steps:0 max_wallclock_seconds:12.000",
        "reserve_seconds:2.000",
        "phase loop on at step:3 train_time:1ms",
    ):
        pace.line(line)
    # Half of the budget of ten seconds, though a tenth of the steps.
    assert pace.at(10, 100, 5000.0) == (0.5, "2,000 tokens/s, 5 s to train, loop")
    assert Pace().at(25, 100, 1000.0) == (0.25, "3 s to train") and Pace().at(0, 0, 0.0) == (0.0, "0 s to train")


def test_a_run_that_diverges_is_ended(tmp_path, options):
    code = PROGRAM.replace(
        "    model = b",
        "    say('step:3/9 train_loss:nan train_time:1ms')\n    import time; time.sleep(60)\n    model = b",
    )
    begin = time.monotonic()
    done, _ = run(target_of(tmp_path / "toy", code), replace(options, early_stop=True))
    assert time.monotonic() - begin < 30 and done.status == 1
    assert done.problem == "the training loss is nan at step 3: the run was ended"
    # A program prints a line before it writes it, so the log may end one line sooner.
    assert done.last[-1].startswith("step:3/9 train_loss:nan") and "step:2" in done.log.read_text()


def test_an_artifact_is_scored_again(tmp_path, options):
    target = target_of(tmp_path / "toy")
    with pytest.raises(PgolfError, match="there is no artifact of seed 7"):
        run(target, replace(options, score=True))
    first, _ = run(target, options)
    code = 'assert not list(data.glob("fineweb_train_*.bin"))'
    target.script.write_text(target.script.read_text().replace(code, "True or list(data.glob('x'))"))
    again, _ = run(target, replace(options, score=True))
    assert not again.problem and again.record.headline.val_bpb == first.record.headline.val_bpb
    assert again.log.name == "score_seed7.txt" and not (tmp_path / "toy/logs/score_seed7.log").exists()


def test_a_new_run_does_not_lose_an_unfinished_one(tmp_path, options):
    target = target_of(tmp_path / "toy")
    kept = tmp_path / "toy/artifacts/seed7/checkpoints/step_00000004"
    kept.mkdir(parents=True)
    with pytest.raises(PgolfError, match="an unfinished run is there, with a checkpoint of step 4"):
        run(target, options)
    assert kept.exists()
    done, _ = run(target, replace(options, resume=True))
    assert not done.problem and not kept.exists(), "a run that has ended keeps no checkpoints"
