"""Build, train, package and verify a real submission, then tamper with it. Minutes: marked slow."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with a verified submission."""
    place = tmp_path_factory.mktemp("work")
    pgolf(place, "build", "--smoke", "--plugins", "swa,bank_qat,pko", "-o", "first")
    pgolf(place, "train", "first")
    pgolf(place, "package", "first", "--author", "Ada", "--github-id", "ada")
    return place


def pgolf(place, *arguments, status=0):
    """Run the command as a user does."""
    command = [sys.executable, "-m", "pgolf.cli", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def failures(place, folder, *options, status=1):
    """Ids of failed checks."""
    report = json.loads(pgolf(place, "verify", folder, "--json", *options, status=status))
    return {record["id"] for record in report["checks"] if record["status"] == "FAIL"}


def copy(place, name):
    """The submission again, to tamper with."""
    shutil.rmtree(place / name, ignore_errors=True)
    shutil.copytree(place / "first", place / name)
    return place / name


def test_a_good_submission_passes(workplace):
    assert failures(workplace, "first", "--run", status=0) == set()


def test_one_byte_of_the_file(workplace):
    path = copy(workplace, "byte") / "train_gpt.py"
    code = bytearray(path.read_bytes())
    at = len(code) // 2
    code[at] = ord("a") if code[at] != ord("a") else ord("b")
    path.write_bytes(code)
    assert {"lock.code", "lock.rebuild", "log.code"} <= failures(workplace, "byte")


def test_one_receipt(workplace):
    path = copy(workplace, "receipt") / "logs/train_seed1337.log"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("receipt pko:")))
    assert failures(workplace, "receipt") == {"log.receipts"}


def test_a_better_score(workplace):
    path = copy(workplace, "score") / "submission.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "val_bpb": document["val_bpb"] - 0.001}))
    assert failures(workplace, "score") == {"claim.logged", "lock.claim"}


def test_a_truncated_artifact(workplace):
    (path,) = copy(workplace, "short").glob("artifacts/seed1337/final_model.*.ptz")
    path.write_bytes(path.read_bytes()[:-1])
    assert failures(workplace, "short", "--run") == {"size.artifact", "run.score"}
