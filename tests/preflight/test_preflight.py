"""`pgolf preflight` from its command line: a real build, rehearsed; a changed file; bad input."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from pgolf.cli.main import main
from pgolf.preflight import preflight as module
from pgolf.preflight.finding import good, problem, unknown
from pgolf.preflight.preflight import Report, Wishes, judge_cache, judge_times, launch_lines
from pgolf.preflight.rehearsal import Rehearsal
from pgolf.preflight.seconds import StageTime
from pgolf.run.data import DataPaths
from pgolf.run.launch import Target

RECIPE = 'name = "tiny"\nplugins = ["sliding_eval"]\n'
SIZES = ("iterations=4", "model_dim=64", "num_layers=2", "num_heads=4", "num_kv_heads=2", "val_batch_size=65536")
SMALL = [word for one in SIZES for word in ("--set", one)]


def run(*arguments):
    return CliRunner().invoke(main, ["preflight", *map(str, arguments)])


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A smoke build in a folder that is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(RECIPE)
    done = CliRunner().invoke(main, ["build", "recipe.toml", "--smoke", *SMALL, "-o", "tiny"])
    assert done.exit_code == 0, done.output
    return tmp_path / "tiny"


@pytest.mark.ci
def test_a_build_that_is_ready(built):
    done = run(built, "--quick", "--compile", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    states = {one["check"]: one["state"] for one in found["findings"]}
    assert states == {
        **dict.fromkeys(("file", "packages", "programs", "disk", "clock", "shards", "hashes"), "ok"),
        **dict.fromkeys(("ids", "tokenizer", "program", "score", "bytes"), "ok"),
        **dict.fromkeys(("gpus", "ranks", "seconds", "cache"), "skipped"),
    }
    assert found["ready"] and found["size"] == "smoke"
    stages = [one["stage"] for one in found["seconds_per_stage"]]
    assert stages[:2] == ["start and warm-up", "train"] and {"quantize", "compress", "decode", "score 2"} <= {*stages}
    assert found["launch"][0].startswith("pgolf train ") and "train_gpt.py" in found["launch"][1]
    assert found["forecast"]["fits"] and not (built / "artifacts/preflight").exists()


def test_a_changed_file_is_refused(built):
    path = built / "train_gpt.py"
    path.write_bytes(path.read_bytes() + b"\n")
    done = run(built)
    assert done.exit_code == 2 and "error[PG505]" in done.output and "Traceback" not in done.output
    found = json.loads(run(built, "--json").stdout)
    assert found["exit_status"] == 2 and found["errors"][0]["code"] == "PG505"


@pytest.mark.ci
def test_data_that_are_not_there_are_a_problem(built, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run(built, "--data", tmp_path / "empty", "--quick")
    assert done.exit_code == 1 and "PROBLEM" in done.output and "not ready, 1 problem" in done.output
    assert run(tmp_path / "nowhere").exit_code == 2
    assert run(tmp_path / "empty").exit_code == 2


def test_times_are_judged_where_there_is_a_gpu():
    challenge = SimpleNamespace(eval_seconds=600.0)
    full, smoke = (SimpleNamespace(smoke=smoke) for smoke in (False, True))
    tried = Rehearsal(record=SimpleNamespace(), compiled=True)
    for seconds, state in ((700.0, "problem"), (300.0, "ok"), (None, "unknown")):
        times = [StageTime("decode", 2.0, ""), StageTime("adapt", seconds, "")]
        assert judge_times(times, challenge, full, True, tried)[0].state == state
        assert judge_times(times, challenge, smoke, True, tried)[0].state == "skipped"
    long = [StageTime("score", 700.0, "")]
    assert judge_times(long, challenge, full, True, Rehearsal(record=SimpleNamespace()))[0].state == "unknown"
    (found,) = judge_times(long, challenge, full, True, Rehearsal(record=SimpleNamespace(), starved=True))
    assert found.state == "unknown" and "one sequence at a time" in found.text
    assert judge_times([], challenge, full, True, Rehearsal()) == []


def test_the_compile_cache_is_where_the_run_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    assert judge_cache(False)[0].state == "skipped"
    assert judge_cache(True)[0].state == "unknown"
    (tmp_path / "compiled/fxgraph/ab").mkdir(parents=True)
    (found,) = judge_cache(True)
    assert found.state == "ok" and str(tmp_path / "compiled") in found.text


def test_the_report_is_ready_without_problems(tmp_path):
    report = Report(tmp_path, False, [good("a", ""), unknown("b", "why")])
    assert report.ready and [one.check for one in report.open_questions] == ["b"]
    report.findings.append(problem("c", ""))
    assert not report.ready and report.as_record()["forecast"] is None


def test_launch_lines_can_be_pasted(tmp_path):
    target = Target(tmp_path, tmp_path / "train_gpt.py", {"seed": 7}, (), False)
    paths = DataPaths(tmp_path / "my data", tmp_path / "t.model")
    wishes = Wishes(tmp_path / "sub", data=tmp_path / "my data", nproc=8)
    first, second = launch_lines(wishes, target, paths)
    assert first == f"pgolf train {tmp_path / 'sub'} --nproc 8 --data '{tmp_path / 'my data'}'"
    assert "SEED=7" in second and "--nproc-per-node=8" in second and f"DATA_PATH='{tmp_path / 'my data'}'" in second
    assert module.launch_lines(wishes, target, None) == [first]
