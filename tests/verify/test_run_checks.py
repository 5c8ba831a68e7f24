"""The checks that execute, on a stand-in program that needs no torch."""

from dataclasses import replace

import pytest
from folders import PROGRAM, edit, make_data, make_folder, outcome

from pgolf.component import Need
from pgolf.run.data import find_data
from pgolf.run.launch import RunOptions, Target, run_seed
from pgolf.verify import sandbox
from pgolf.verify.folder import View


@pytest.fixture
def data(tmp_path):
    return make_data(tmp_path / "data")


def trained(folder, data, code=PROGRAM):
    """A folder whose log and artifact come from its own program."""
    make_folder(folder, code.encode(), trained=False)
    lock = View(folder, lambda: None).lock[0]
    target = Target(folder, folder / "train_gpt.py", lock.settings, (), True)
    run = run_seed(target, 1337, RunOptions(find_data(data, None, lock.settings, True)), lambda line: None)
    assert not run.problem
    return folder


def check(folder, name, data, timeout=60.0):
    return outcome(folder, name, enabled=True, data=data, timeout=timeout)


def test_equal_runs_pass(tmp_path, data):
    found = check(trained(tmp_path / "toy", data), "run.determinism", data)
    assert found.status == "PASS" and found.evidence["sandbox"] in ("bwrap", "unshare", "plain")


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
    assert "ValueError: no way" in check(folder, "run.determinism", data).message


def test_an_artifact_gets_its_score_again(tmp_path, data):
    found = check(trained(tmp_path / "toy", data), "run.score", data)
    assert found.status == "PASS"
    assert found.evidence["scores"]["seed 1337"]


def test_a_changed_artifact_fails(tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    with (folder / "artifacts/seed1337/final_model.int8.ptz").open("r+b") as file:
        file.write(b"M")
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
    assert "StopIteration" in check(trained(tmp_path / "toy", data, code), "run.score", data).message


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


def test_the_environment_is_bare_and_home_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    (tmp_path / "show.py").write_text(
        "import os\nprint(os.environ.get('SECRET_TOKEN'), os.listdir(os.environ['HOME']))\n"
    )
    done = sandbox.run_program(["show.py"], tmp_path, {}, 60.0)
    assert (done.status, done.output.strip()) == (0, "None []")


def test_the_plain_sandbox_says_that_the_network_is_open(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "sandbox_kind", lambda: "plain")
    (tmp_path / "nothing.py").write_text("")
    done = sandbox.run_program(["nothing.py"], tmp_path, {}, 60.0)
    assert done.evidence() == {"sandbox": "plain", "network_blocked": False}


def test_a_network_namespace_has_no_network(tmp_path):
    if sandbox.sandbox_kind() == "plain":
        pytest.skip("no sandbox here")
    call = "    socket.create_connection(('192.0.2.1', 80), 2)"
    (tmp_path / "call.py").write_text(
        f"import socket\ntry:\n{call}\nexcept OSError as error:\n    print(error.errno)\n"
    )
    assert sandbox.run_program(["call.py"], tmp_path, {}, 60.0).output.strip() == "101"


def test_bubblewrap_hides_folders_and_binds_the_work_folder_last(tmp_path):
    command = sandbox.wrap(["python"], tmp_path, (tmp_path / "train",), "bwrap")
    assert command.index("--tmpfs") < command.index("--bind") and command[-1] == "python"
    assert "--unshare-all" in command


def test_links_and_pipes_that_a_program_leaves_are_not_read(tmp_path, data):
    path = 'path = pathlib.Path("final_model.int8.ptz")'
    traps = 'os.mkfifo("final_model.a.ptz"); os.symlink("/etc/passwd", "final_model.b.ptz")'
    code = PROGRAM.replace(path, f"{path}; {traps}")
    folder = trained(tmp_path / "toy", data)
    (folder / "train_gpt.py").write_text(code)
    found = check(folder, "run.determinism", data)
    assert found.status == "PASS" and list(found.evidence["artifact_sha256"][0]) == ["final_model.int8.ptz"]


@pytest.mark.parametrize("name", ["run.determinism", "run.score"])
def test_a_program_whose_needs_are_missing_is_not_judged(name, tmp_path, data):
    folder = trained(tmp_path / "toy", data)
    lock = View(folder, lambda: None).lock[0]
    (folder / "pgolf.lock").write_text(replace(lock, needs=(Need("program", "no_such_program", "sings"),)).dump())
    found = check(folder, name, data)
    assert found.status == "SKIP" and "apt-get install no_such_program" in found.message
