"""Receipts: what a plugin did, and an empty text for one that did nothing."""

import pytest

from pgolf.runtime.ledger import Ledger


@pytest.mark.parametrize(
    ("calls", "receipt"),
    [
        ([], ""),
        ([("count", "layers", 2)], "2 layers"),
        ([("count", "layers", 2), ("count", "layers", 3)], "5 layers"),
        ([("count", "layers", 2), ("count", "matrices", 1)], "2 layers, 1 matrices"),
        ([("count", "layers", 0)], ""),
        ([("note", "on at step 3")], "on at step 3"),
        ([("note", "early"), ("note", "late")], "late"),
        ([("count", "layers", 1), ("note", "x")], "1 layers, x"),
        ([("note", "")], ""),
    ],
)
def test_a_receipt(calls, receipt):
    ledger = Ledger()
    ledger.count("other", "layers")
    for method, *arguments in calls:
        getattr(ledger, method)("xsa", *arguments)
    assert ledger.receipt("xsa") == receipt and ledger.receipt("other") == "1 layers"


def test_one_is_counted_by_default():
    ledger = Ledger()
    ledger.count("a", "b")
    assert ledger.done == {("a", "b"): 1}
