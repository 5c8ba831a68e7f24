"""Records against the leaderboard: claim, logs and row."""

import json

from click.testing import CliRunner
from foreign import baseline_log, foreign_folder

from pgolf.cli.main import main
from pgolf.leaderboard import rows_of
from pgolf.verify.recheck import recheck, record_folders

ROW = next(row for row in rows_of() if len(row.seed_val_bpb) == 3)


def record(root, scores, claim):
    logs = {f"train_seed{seed}.log": baseline_log(seed, bpb) for seed, bpb in enumerate(scores, 1)}
    return foreign_folder(root, logs, {"val_bpb": claim})


def test_records(tmp_path):
    good = record(tmp_path / "a", ROW.seed_val_bpb, ROW.val_bpb)
    found = recheck(good)
    assert (found.status, found.row, found.runs) == ("PASS", ROW, 3)
    other = recheck(record(tmp_path / "b", ROW.seed_val_bpb, ROW.val_bpb - 0.01))
    assert other.status == "FAIL" and "the claim is" in other.says
    assert recheck(record(tmp_path / "c", (1.91, 1.92, 1.93), 1.92)).status == "SKIP"
    assert recheck(record(tmp_path / "d", (), 1.5)).status == "SKIP"
    assert record_folders(good.parent) == [good]


def test_the_command(tmp_path):
    good = record(tmp_path / "a", ROW.seed_val_bpb, ROW.val_bpb)
    done = CliRunner().invoke(main, ["leaderboard", str(good.parent), "--recheck", "--json"])
    assert done.exit_code == 0 and json.loads(done.stdout)[0]["status"] == "PASS"
    bad = record(tmp_path / "b", ROW.seed_val_bpb, ROW.val_bpb - 0.01)
    assert CliRunner().invoke(main, ["leaderboard", str(bad.parent), "--recheck"]).exit_code == 1
    assert CliRunner().invoke(main, ["leaderboard", "--recheck"]).exit_code == 2
