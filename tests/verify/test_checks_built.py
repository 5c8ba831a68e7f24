"""In a folder that pgolf built every number is exact."""

import pytest
from folders import edit, outcome
from toy_claims import LOG, rewrite


@pytest.mark.parametrize(
    ("value", "status"), [(1.25, "PASS"), (1.25004, "FAIL"), (1.2501, "FAIL"), (1.2, "FAIL"), ("x", "FAIL")]
)
def test_the_headline_is_that_of_the_logs(folder, value, status):
    rewrite(folder, val_bpb=value)
    assert outcome(folder, "lock.claim").status == status


def test_a_claim_with_fewer_digits_is_a_rounded_one(folder):
    rewrite(folder, seed_results={})
    edit(folder / LOG, "val_loss:2.50000000 val_bpb:1.25000000\n", "val_loss:2.50000000 val_bpb:1.25003000\n")
    assert outcome(folder, "lock.claim").status == "PASS"
    edit(folder / LOG, "val_bpb:1.25003000", "val_bpb:1.25006000")
    assert outcome(folder, "lock.claim").status == "FAIL"


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [1337, 42]},
        {"seeds": "1337"},
        {"seed_results": {"42": {}}},
        {"seed_results": {"1337": {"val_bpb": 1.2}}},
        {"seed_results": {"1337": {"artifact_bytes": 1}}},
        {"seed_results": {"1337": 7}},
    ],
)
def test_seeds_have_logs_with_their_numbers(folder, changes):
    rewrite(folder, **changes)
    assert outcome(folder, "lock.claim").status == "FAIL"


def test_a_logged_total_that_does_not_add_up(folder):
    code = (folder / "train_gpt.py").read_bytes()
    edit(folder / LOG, f"Total submission size int8+zlib: {1000 + len(code)}", "Total submission size int8+zlib: 900")
    assert "is not the total" in outcome(folder, "lock.sizes").message


def test_one_run_under_two_names(folder):
    (folder / "logs/train_seed42.log").write_text((folder / LOG).read_text())
    assert "2 logs" in outcome(folder, "lock.seeds").message


def test_a_log_under_another_seeds_name(folder):
    (folder / LOG).rename(folder / "logs/train_seed42.log")
    assert "is of seed 1337" in outcome(folder, "lock.seeds").message
