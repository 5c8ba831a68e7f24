"""The development split of real submissions: every expected verdict, where the split is found beside the checkout."""

import collections

import pytest
from corpus import SPLIT, document, folders, materialize

from pgolf.manager import Registry
from pgolf.verify.report import verify_folder

NEEDS_CODE = {"pkg.entry"}  # the split holds no code
# (check id, expected, ours) -> (a part of the message, why the other verdict is right).
ARGUED = {
    ("val.bytes", "FAIL", "WARN"): (
        "a split of the organisers",
        "the organisers' first export has these tokens and bytes: the text is known, and only not the one that is scored now",
    ),
}

pytestmark = pytest.mark.skipif(not SPLIT.is_dir(), reason="the development split is not beside this checkout")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Statuses and messages of every folder by check id."""
    found = {}
    for name in folders():
        report = verify_folder(materialize(name, tmp_path_factory.mktemp("split")), Registry)
        found[name] = {record["id"]: record for record in report["checks"]}
    return found


@pytest.mark.parametrize("name", folders())
def test_expected_verdicts(reports, name):
    wanted = {key: row["status"] for key, row in document(name, "expected")["checks"].items() if key not in NEEDS_CODE}
    found = {key: reports[name][key]["status"] for key in wanted}
    differing = {
        key for key in wanted if wanted[key] != found[key] and not argued(key, wanted[key], reports[name][key])
    }
    assert not differing, {key: (wanted[key], found[key], reports[name][key]["message"]) for key in differing}


def argued(key, expected, record):
    """Is the difference one of those that a rule argues?"""
    part, _ = ARGUED.get((key, expected, record["status"]), (None, ""))
    return part is not None and part in record["message"]


def test_no_failure_without_evidence_and_none_that_is_not_expected(reports):
    for name in folders():
        expected = document(name, "expected")
        for key, record in reports[name].items():
            if record["status"] != "FAIL" or key in NEEDS_CODE or key in expected["not_judged"]:
                continue
            assert expected["checks"][key]["status"] == "FAIL", (name, key, record["message"])
            assert record["rule"] and record["message"] and record["evidence"], (name, key)


def test_agreement(reports):
    """Counts for people: `pytest tests/test_corpus.py -rP` shows them."""
    right, total = collections.Counter(), collections.Counter()
    for name in folders():
        for key, row in document(name, "expected")["checks"].items():
            if key not in NEEDS_CODE:
                total[key] += 1
                right[key] += reports[name][key]["status"] == row["status"]
    for key in sorted(total):
        print(f"{key}: {right[key]} of {total[key]}")
    differing = sum(total.values()) - sum(right.values())
    print(f"equal {sum(right.values())}, argued {differing}")
    assert differing <= sum(total.values()) / 100
