"""Logs end with a result, and with a receipt of each plugin."""

import pytest
from folders import edit, outcome
from toy_claims import LOG


@pytest.mark.parametrize("cut", ["final_int8", "Total submission"])
def test_a_log_that_ends_early(folder, cut):
    lines = (folder / LOG).read_text().splitlines()
    (folder / LOG).write_text("\n".join(line for line in lines if not line.startswith(cut)))
    assert outcome(folder, "log.final").status == "FAIL"


def test_a_final_score_that_is_not_a_number(folder):
    edit(folder / LOG, "val_bpb:1.25000000", "val_bpb:nan")
    assert outcome(folder, "log.final").status == "FAIL"


def test_a_text_that_is_no_log(folder):
    (folder / LOG).write_bytes(b"\xff\xfe hello\x1b[31m\n")
    assert "known format" in outcome(folder, "log.final").message


def test_a_missing_receipt(folder):
    edit(folder / LOG, "receipt beta: 2 steps\n", "")
    assert "no receipt of beta" in outcome(folder, "log.receipts").message


def test_a_receipt_of_somebody_else(folder):
    edit(folder / LOG, "receipt beta: 2 steps\n", "receipt beta: 2 steps\nreceipt gamma: 1 step\n")
    assert "gamma" in outcome(folder, "log.receipts").message


def test_a_plugin_that_did_nothing(folder):
    edit(
        folder / LOG,
        "receipt beta: 2 steps\n",
        "receipt beta: 2 steps\nerror: plugin beta was selected and did nothing\n",
    )
    assert "error: plugin beta" in outcome(folder, "log.receipts").message
