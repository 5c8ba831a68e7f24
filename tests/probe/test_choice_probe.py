"""What is chosen among totals changes when a comparison comes out the other way; what is compared afterwards does not."""

from types import SimpleNamespace

import numpy as np
import pytest
from test_dependence import SCORES, changed, trial

from pgolf.probe.choice_probe import choice_verdicts
from pgolf.probe.text_streams import Stream

STREAM = Stream(np.arange(21))


def event(number, some=(3, 4), births=(2, 40), at=9):
    fields = {"kind": "compare", "at": at, "positions": 20, "some": [*some], "births": [*births], "line": 12}
    return fields | {"number": number}


def judged(events, trials):
    """The verdicts and what was executed."""
    asked = []

    def run(planned):
        asked.extend((one.name, one.contrary) for one in planned)
        return {one.name: trials[one.contrary] for one in planned}

    shop = SimpleNamespace(seen={"base": trial(SCORES, events)}, official=STREAM, run=run)
    shop.random, shop.draw_for = np.random.default_rng(0), lambda probe: None
    return choice_verdicts(shop), asked


def test_nothing_is_executed_without_a_comparison_of_what_is_claimed():
    elsewhere = [event(1, births=(50, 60)), event(2, at=200), event("x")]
    assert judged([], {}) == judged(elsewhere, {}) == ([], [])


def test_scores_that_were_chosen():
    (found,), asked = judged([event(1)], {1: changed(4)})
    assert asked == [("contrary1", 1)] and (found.rule, found.status, found.probe) == (
        "rule.hindsight",
        "FAIL",
        "ledger",
    )
    assert found.findings == ({"position": 4, "before": SCORES[3], "after": SCORES[3] + 1, "line": 12},)


@pytest.mark.parametrize(("other", "status"), [(changed(7), "PASS"), (trial(SCORES), "PASS"), (trial([]), "SKIP")])
def test_scores_that_were_not(other, status):
    (found,), _ = judged([event(1)], {1: other})
    assert found.status == status and "line 12" in found.message


def test_one_of_many_is_enough():
    events = [event(number) for number in range(1, 30)]
    same = dict.fromkeys(range(1, 30), trial(SCORES))
    assert len(judged(events, same)[1]) == 3
    (found,), asked = judged(events, same | {1: trial([])})
    assert found.status == "SKIP" and asked[0] == ("contrary1", 1)
    (found,), _ = judged(events, same | {1: changed(3)})
    assert found.status == "FAIL"
