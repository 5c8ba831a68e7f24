"""Artifacts that depend on validation text, training shards that are needed while scoring."""

from types import SimpleNamespace

import pytest
from test_dependence import SCORES, trial

from pgolf.probe.data_probes import absence_verdict, poison_verdicts


def shop(**trials):
    return SimpleNamespace(seen=trials)


def made(digest="a", events=(), error=""):
    found = trial(SCORES, events)
    found.artifacts, found.error = ({"model.ptz": digest} if digest else {}), error
    return found


WRITE = {"kind": "write", "at": 9, "name": "model.ptz", "line": 70}
LEARN = [
    {"kind": "gradient", "at": 3, "positions": [4], "leaves": [[8, 8]], "line": 50},
    {"kind": "step", "at": 4, "positions": [4], "leaves": [[8, 8]], "line": 51},
]


@pytest.mark.parametrize(
    ("base", "again", "poison", "wanted"),
    [
        (made(), made(), made(), {"rule.calibval": "PASS"}),
        (made(events=[WRITE]), made(), made("b"), {"rule.calibval": "FAIL"}),
        (made(events=[*LEARN, WRITE]), made(), made("b"), {"rule.scorefirst": "FAIL", "rule.calibval": "SKIP"}),
        (made(), made("c"), made("b"), {"rule.calibval": "SKIP"}),
        (made(""), made(""), made(""), {"rule.calibval": "SKIP"}),
        (made(), made(), made("b", error="broke"), {"rule.calibval": "SKIP"}),
    ],
)
def test_poison(base, again, poison, wanted):
    found = poison_verdicts(shop(base=base, again=again, poison=poison))
    assert {one.rule: one.status for one in found} == wanted


def test_absence():
    late = {"kind": "open", "at": 20, "what": "train", "line": 80}
    early = late | {"at": 2}
    base = made(events=[early, WRITE])
    assert absence_verdict(shop(base=base, absence=made())).status == "PASS"
    found = absence_verdict(shop(base=made(events=[WRITE, late]), absence=made()))
    assert found.status == "FAIL" and "line 80" in found.message
    assert absence_verdict(shop(base=made(), absence=made())).status == "SKIP"
    lost = made(error="IndexError")
    lost.ledgers, lost.seconds = [], 1.0
    assert absence_verdict(shop(base=base, absence=lost)).status == "FAIL"
    lost.error = "did not end in time"
    assert absence_verdict(shop(base=base, absence=lost)).status == "SKIP"
    lost.error, lost.seconds = "was not run", 0.0
    assert absence_verdict(shop(base=base, absence=lost)).status == "SKIP"
