"""`pgolf package`, and `pgolf verify` of what it wrote."""

import json

import pytest
from commands import pgolf
from folders import make_data, make_folder

pytestmark = pytest.mark.usefixtures("in_a_folder")


def test_package_and_verify(tmp_path):
    folder, data = make_folder(tmp_path / "toy", trained=False), make_data(tmp_path / "data")
    pgolf("package", folder, status=2)
    pgolf("train", folder, "--data", data, "--seeds", "5")
    done = pgolf("package", folder, "--author", "Ada", "--github-id", "ada")
    assert "val_bpb" in done.stdout and done.stderr == ""
    done = pgolf("verify", folder, "--run", "--data", data, "--json")
    statuses = {record["id"]: record["status"] for record in json.loads(done.stdout)["checks"]}
    assert "FAIL" not in statuses.values() and statuses["log.artifact"] == "PASS"
    # Its plugins are made up, so the file cannot be built again, and what cannot be is not run unasked.
    assert statuses["lock.rebuild"] == statuses["run.determinism"] == statuses["run.score"] == "SKIP"
    pgolf("verify", tmp_path / "nowhere", status=2)
