"""The checks that execute, on a stand-in program that needs no torch."""

from dataclasses import replace
from pathlib import Path

import pytest
from folders import PROGRAM, edit, make_data, make_folder, outcome
from trained_folders import trained

from pgolf.component import Need
from pgolf.verify import checks_run, sandbox
from pgolf.verify.folder import View
from pgolf.verify.runs import Permit
from pgolf.verify.sandbox import Sandbox


@pytest.fixture(autouse=True)
def without_bubblewrap(monkeypatch):
    """What checks make of runs can be tested without a sandbox, too: these programs are the tests' own."""
    if sandbox.self_tested("bubblewrap")[0] is None:
        monkeypatch.setattr(checks_run, "permit", lambda view: Permit(Sandbox("none", (), ()), False))


def check(folder, name, data, timeout=60.0):
    return outcome(folder, name, enabled=True, data=data, timeout=timeout, foreign=True)


def printed(message):
    """What a program printed: in a file that the report names, and not in the report."""
    path = Path(message.rpartition(" is in ")[2])
    text = path.read_text()
    path.unlink()
    return text


def test_equal_runs_pass(tmp_path, data):
    found = check(trained(tmp_path / "toy", data), "run.determinism", data)
    assert found.status == "PASS" and found.evidence["sandbox"] in ("bubblewrap", "none")
    assert not found.evidence["reproduced"] and "by its own word" in found.message
    assert found.evidence["limits"] in ("watcher", "cgroup and watcher")


def test_a_run_cannot_copy_the_one_before(tmp_path, data):
    if sandbox.self_tested("bubblewrap")[0] is None:
        pytest.skip("needs bubblewrap")
    copies = "import glob, os, time\nos.listdir('..')\nold = glob.glob('../run*/final_model*')\n" + PROGRAM.replace(
        'b"model" * int(seed)', "open(old[0], 'rb').read() if old else os.urandom(64)"
    )
    assert "artifacts of two runs" in check(trained(tmp_path / "toy", data, copies), "run.determinism", data).message


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_score_that_is_no_number_fails(number, tmp_path, data):
    folder = trained(tmp_path / "toy", data, PROGRAM.replace("{value:.8f}", number))
    found = check(folder, "run.determinism", data)
    assert found.status == "FAIL" and "no number" in found.message
    printed(found.message)


def test_what_a_program_prints_is_not_in_the_report(tmp_path, data):
    code = "import sys\nprint('SECRET')\nraise ValueError('SECRET')\n"
    found = check(make_folder(tmp_path / "toy", code.encode(), trained=False), "run.determinism", data)
    assert found.status == "FAIL" and "SECRET" not in found.message + repr(found.evidence)
    assert "SECRET" in printed(found.message)
    labels = PROGRAM.replace("_roundtrip", "_SECRET")
    found = check(trained(tmp_path / "labels", data, labels), "run.determinism", data)
    assert found.status == "PASS" and "SECRET" not in found.message + repr(found.evidence)


def test_a_huge_artifact_is_not_read(tmp_path, data):
    code = PROGRAM.replace("    path.write_bytes(model)\n", "    path.touch(); os.truncate(path, 2**30)\n")
    found = check(trained(tmp_path / "toy", data, code), "run.determinism", data)
    assert found.status == "FAIL" and "268,435,456" in found.message
    printed(found.message)
    assert "268,435,456" in check(tmp_path / "toy", "run.score", data).message
    assert "268,435,456" in outcome(tmp_path / "toy", "log.artifact").message


def test_a_disowned_file_is_not_run_unasked(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    (folder / "train_gpt.py").write_text(PROGRAM + f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    for name in ("run.determinism", "run.score"):
        found = outcome(folder, name, enabled=True, data=data)
        assert found.status == "SKIP" and "--foreign" in found.message
    assert not (tmp_path / "ran").exists()


def test_the_smoke_variant_says_nothing_of_another_file(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    lock = View(folder, lambda: None).lock[0]
    (folder / "pgolf.lock").write_text(replace(lock, smoke=False).dump())
    found = check(folder, "run.determinism", data)
    assert found.status == "SKIP" and "says nothing" in found.message


def test_a_random_artifact_fails(tmp_path, data):
    code = PROGRAM.replace('b"model" * int(seed)', "os.urandom(64)")
    assert "artifacts" in check(trained(tmp_path / "toy", data, code), "run.determinism", data).message


def test_a_random_score_fails(tmp_path, data):
    code = PROGRAM.replace("return 1.0 +", "return 1.0 + int.from_bytes(os.urandom(2)) / 2**20 +")
    assert "scores differ" in check(trained(tmp_path / "toy", data, code), "run.determinism", data).message


def test_a_program_that_hangs_is_stopped(tmp_path, data):
    folder = make_folder(tmp_path / "toy", b"import time\ntime.sleep(60)\n", trained=False)
    assert "did not end" in check(folder, "run.determinism", data, timeout=1.0).message


def test_a_program_that_fails_is_named(tmp_path, data):
    folder = make_folder(tmp_path / "toy", b"raise ValueError('no way')\n", trained=False)
    assert "ValueError: no way" in printed(check(folder, "run.determinism", data).message)


def test_an_artifact_gets_its_score_again(tmp_path, data):
    found = check(trained(tmp_path / "toy", data), "run.score", data)
    assert found.status == "PASS"
    assert found.evidence["scores"]["seed 1337"]


def test_a_changed_artifact_fails(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    with (folder / "artifacts/seed1337/final_model.int8.ptz").open("r+b") as file:
        file.write(b"M")
    assert "the log says" in check(folder, "run.score", data).message
    edit(folder / "logs/train_seed1337.log", "artifact_sha256", "another_word")
    assert "when decoded again" in check(folder, "run.score", data).message


def test_a_changed_score_in_the_log_fails_and_rounding_does_not(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    log = folder / "logs/train_seed1337.log"
    exact = next(line for line in log.read_text().splitlines() if "_exact" in line)
    value = exact.rsplit(":", 1)[1]
    edit(log, exact, exact.replace(f"val_bpb:{value}", f"val_bpb:{float(value) + 4e-7:.8f}"))
    assert check(folder, "run.score", data).status == "PASS"
    edit(log, f"val_bpb:{float(value) + 4e-7:.8f}", f"val_bpb:{float(value) + 2e-6:.8f}")
    assert check(folder, "run.score", data).status == "FAIL"


def test_scoring_that_reads_training_data_fails(tmp_path, data):
    code = PROGRAM.replace("assert not list(", "next(").replace('"training data are in sight"', "'x'")
    code = code.replace("next(data.glob(\"fineweb_train_*.bin\")), 'x'", 'next(data.glob("fineweb_train_*.bin"))')
    assert "StopIteration" in printed(check(trained(tmp_path / "toy", data, code), "run.score", data).message)


def test_other_validation_data_are_not_judged(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    other = make_data(tmp_path / "other", tokens=80)
    assert "give the right ones" in check(folder, "run.score", other).message


def test_without_artifacts_or_a_gpu_scoring_is_skipped(tmp_path, data, monkeypatch):
    folder = trained(tmp_path / "toy", data)
    monkeypatch.setattr("pgolf.verify.checks_run.has_gpu", lambda: False)
    edit(folder / "logs/train_seed1337.log", "seed:1337\n", "seed:1337\n|   0  NVIDIA H100 80GB HBM3  On  | x\n")
    assert "GPU" in check(folder, "run.score", data).message
    (folder / "artifacts/seed1337/final_model.int8.ptz").unlink()
    assert check(folder, "run.score", data).status == "SKIP"


def test_nothing_runs_unasked(tmp_path, data):
    folder = trained(tmp_path / "toy", data, PROGRAM)
    for name in ("run.determinism", "run.score"):
        assert "--run" in outcome(folder, name).message


def test_links_and_pipes_that_a_program_leaves_are_not_read(tmp_path, data):
    path = 'path = pathlib.Path("final_model.int8.ptz")'
    traps = 'os.mkfifo("final_model.a.ptz"); os.symlink("/etc/passwd", "final_model.b.ptz")'
    code = PROGRAM.replace(path, f"{path}; {traps}")
    folder = trained(tmp_path / "toy", data)
    (folder / "train_gpt.py").write_text(code)
    found = check(folder, "run.determinism", data)
    assert found.status == "PASS" and len(found.evidence["artifact_sha256"][0]) == 1


@pytest.mark.parametrize("name", ["run.determinism", "run.score"])
def test_a_program_whose_needs_are_missing_is_not_judged(name, tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    lock = View(folder, lambda: None).lock[0]
    (folder / "pgolf.lock").write_text(replace(lock, needs=(Need("program", "no_such_program", "sings"),)).dump())
    found = check(folder, name, data)
    assert found.status == "SKIP" and "apt-get install no_such_program" in found.message
