"""For every check a folder that passes, one that fails, and one that nearly does."""

import pytest
from folders import edit, outcome
from toy_claims import LOG, rewrite

from pgolf.verify.report import all_checks


def test_a_good_folder_passes_all_that_needs_no_plugins(folder):
    statuses = {item.id: outcome(folder, item.id).status for item in all_checks() if item.id != "lock.rebuild"}
    skipped = {"claim.std", "code.same", "hw.gpu", "seed.distinct", "stat.p", "pkg.form", "time.train", "time.eval"}
    skipped |= {"log.artifact", "time.calib", "run.determinism", "run.score", "val.bytes", "val.full"}
    skipped |= {"rule.boundary", "rule.calibtrain", "rule.lossless"}
    skipped |= {name for name in statuses if name.startswith(("code.", "rule.")) and statuses[name] == "SKIP"}
    warned = {"seed.count"} | {name for name in statuses if name.startswith("code.") and statuses[name] == "WARN"}
    wanted = {name: "SKIP" if name in skipped else "WARN" if name in warned else "PASS" for name in statuses}
    assert statuses == wanted


def test_every_check_has_a_rule_and_a_source():
    for item in all_checks():
        assert item.statement and item.source and item.example and item.function.__doc__, item.id
        family, _, name = item.id.partition(".")
        assert family and name


@pytest.mark.parametrize("code", [b"def f(:\n", b"x = '\x00'\n", b"\xff\xfe", b"(" * 5000])
def test_a_script_that_does_not_parse(folder, code):
    (folder / "train_gpt.py").write_bytes(code)
    assert outcome(folder, "pkg.entry").status == "FAIL"


def test_a_script_with_a_warning_parses(folder):
    (folder / "train_gpt.py").write_bytes(b'x = "\\d"\n')
    assert outcome(folder, "pkg.entry").status == "PASS"


def test_numbers_that_are_zero_or_huge_do_not_crash(folder):
    edit(folder / LOG, "val_loss:2.50000000 val_bpb:1.25000000 eval", "val_loss:0.00000000 val_bpb:0 eval")
    edit(folder / LOG, "Serialized model: 4000", "Serialized model: " + "9" * 4000)
    for item in all_checks():
        outcome(folder, item.id)


def test_numbers_no_float_can_hold(folder):
    rewrite(folder, val_bpb=10**400, val_loss=-(10**400), val_bpb_std=10**400, bytes_total=10**400)
    for item in all_checks():
        outcome(folder, item.id)
    assert outcome(folder, "lock.claim").status == "FAIL"
