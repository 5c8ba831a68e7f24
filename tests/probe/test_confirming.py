"""Failures are told where a second execution shows the same."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_dependence import SCORES, changed, trial

from pgolf.probe.confirming import confirmed
from pgolf.probe.text_streams import Stream
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Planned

STREAM = Stream(np.arange(21))
NONE = np.zeros(0, np.int64)
FAILED = Verdict("rule.causal", "FAIL", "it depends", "flip", ({"probe": "flip2", "position": 3},))
PASSED = Verdict("rule.onepass", "PASS", "each once", "ledger")


def once(found, digest="a", seconds=1.0):
    found.seconds, found.artifacts = seconds, {"model.ptz": digest}
    return found


def judged(second, verdicts=(FAILED, PASSED), name="flip2", noise=NONE, **first):
    """Verdicts, where the named executions give `second` when they are repeated."""
    seen = {"base": once(trial(SCORES)), "again": once(trial(SCORES)), name: once(changed(3))} | first
    asked = []

    def run(planned):
        for one in planned:
            plain = one.name.removesuffix("-once-more")
            asked.append(plain)
            seen[one.name] = second.get(plain, seen[plain])

    plans = {one: Planned(one, STREAM) for one in ("base", name)}
    shop = SimpleNamespace(seen=seen, official=STREAM, run=run)
    return confirmed(shop, list(verdicts), plans, noise), asked


def test_a_failure_that_shows_again_stays():
    found, asked = judged({})
    assert found == [FAILED, PASSED] and asked == ["base", "flip2"]


@pytest.mark.parametrize(
    "second", [{"base": once(changed(5))}, {"flip2": once(changed(4))}, {"base": once(trial([1.0]))}]
)
def test_a_failure_that_does_not_is_no_failure(second):
    (first, other), _ = judged(second)
    assert first.status == "SKIP" and "repeated" in first.message and first.findings == () and other is PASSED


def test_what_is_known_to_change_and_what_did_not_run_are_no_reasons():
    assert judged({"base": once(changed(5))}, noise=np.array([5]))[0] == [FAILED, PASSED]
    assert judged({"base": once(changed(5), seconds=0.0)})[0] == [FAILED, PASSED]


def test_artifacts():
    failed = Verdict("rule.calibval", "FAIL", "it changes", "poison")
    assert judged({}, [failed], "poison")[0] == [failed]
    assert judged({"poison": once(changed(3), "b")}, [failed], "poison")[0][0].status == "SKIP"
    again = once(trial(SCORES), "c")
    assert judged({"poison": once(changed(3), "b")}, [failed], "poison", again=again)[0] == [failed]


def test_nothing_is_executed_where_nothing_was_compared():
    ledger = Verdict("rule.onepass", "FAIL", "twice", "ledger", ({"position": 3},))
    assert judged({}, [ledger, PASSED]) == ([ledger, PASSED], [])
