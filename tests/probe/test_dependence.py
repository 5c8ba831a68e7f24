"""What a score may depend on, and how a violation came about."""

import copy

import numpy as np
import pytest

from pgolf.probe.dependence import Order, is_fitted, kind_of, violations
from pgolf.probe.trials import Ledger, Trial


def trial(scores, events=(), born=None, digests=None):
    """Positions 1, 2, ... with these scores, born in this order."""
    count = len(scores)
    born = np.arange(count) if born is None else np.array(born)
    digests = np.zeros(count) if digests is None else np.array(digests)
    births = np.stack([np.arange(1.0, count + 1), np.array(scores), digests, born.astype(float), np.full(count, 7.0)])
    places = np.arange(count)
    ledger = Ledger(99, 1.0, "1.0000", places, places + 1, np.array(scores), np.ones(count), 1.0, (7,))
    return Trial("t", "", births=births, events=list(events), ledgers=[ledger], printed="val_loss:1.0000")


SCORES = [1.0 + at / 10 for at in range(20)]


def changed(*places):
    return trial([score + (at + 1 in places) for at, score in enumerate(SCORES)])


@pytest.mark.parametrize(("places", "found"), [((12, 15), []), ((3,), [3]), ((9, 11), [9])])
def test_scores_before_the_token_must_stay(places, found):
    seen = violations("flip0", trial(SCORES), changed(*places), np.array([10]), np.zeros(0, np.int64))
    assert [one.position for one in seen] == found
    assert all(one.kind == "direct" and one.line == 7 and one.after == one.before + 1 for one in seen)


def test_what_changes_by_itself_is_no_violation():
    assert violations("flip0", trial(SCORES), changed(3), np.array([10]), np.array([3])) == []


def test_a_distribution_must_not_know_its_token():
    other = trial(SCORES, digests=[float(at == 9) for at in range(20)])
    seen = violations("flip0", trial(SCORES), other, np.array([10]), np.zeros(0, np.int64))
    assert [(one.position, one.what) for one in seen] == [(10, "distribution")]


def test_documents_that_were_scored_before_may_teach():
    """The second half is scored first."""
    born = [*range(10, 20), *range(10)]
    base = trial(SCORES, born=born)
    order = Order.of(base, base.claim, 22)
    assert order.allowed(3, 15) and not order.allowed(15, 16) and not order.allowed(3, 9)
    assert violations("flip0", base, changed(3), np.array([15]), np.zeros(0, np.int64)) == []


def test_kinds():
    gradient = {"kind": "gradient", "at": 1.5, "positions": [10], "leaves": [[4, 4]], "line": 3}
    step = {"kind": "step", "at": 2, "positions": [10], "leaves": [[512, 512]] * 9, "line": 4}
    assert kind_of(trial(SCORES, [gradient, step]), changed(5), 5, 10, 4, 4) == "learnt"
    assert kind_of(trial(SCORES, [gradient | {"leaves": [[1, 1, 64]]}]), changed(5), 5, 10, 4, 4) == "fitted"
    assert kind_of(trial(SCORES, [gradient]), changed(5), 5, 10, 4, 1) == "direct"
    assert is_fitted([[1, 512]]) and is_fitted([[512]]) and not is_fitted([[64, 512]]) and not is_fitted([])


def test_a_later_pass_is_told_from_a_peek():
    twice = trial(SCORES)
    twice.births = np.concatenate([twice.births, twice.births + np.array([[0], [0], [0], [20], [0]])], 1)
    assert kind_of(twice, twice, 5, 10, 24, 24) == "passes"
    peeks = copy.deepcopy(twice)
    peeks.births[1] += 1e-4
    assert kind_of(twice, peeks, 5, 10, 24, 24) == "direct", "the first pass knows the token, too, if little of it"
    assert kind_of(twice, peeks, 5, 5, 24, 24) == "passes", "another target has another score"
