"""Sums of probabilities over the vocabulary."""

import numpy as np
from test_dependence import SCORES, trial

from pgolf.probe.normal_probe import mixed_positions, normal_verdicts, sum_verdicts


class Shop:
    vocabulary = 32

    def __init__(self, base):
        self.seen = {"base": base}


def mixed():
    base = trial(SCORES)
    base.births[1][3] += 0.5
    return base


def test_scores_of_their_own_softmax_need_no_vocabulary():
    found = normal_verdicts(Shop(trial(SCORES)), lambda: "no", False)
    assert [(one.rule, one.status) for one in found] == [("rule.normal", "PASS"), ("rule.hindsight", "PASS")]
    found = normal_verdicts(Shop(trial(SCORES)), lambda: "no", True)
    assert {one.status for one in found} == {"SKIP"}


def test_mixed_scores_that_cannot_be_tried_are_open():
    assert mixed_positions(mixed()).tolist() == [4]
    found = normal_verdicts(Shop(mixed()), lambda: "it is too large", False)
    assert {one.status for one in found} == {"SKIP"} and "too large" in found[0].message


def test_sums():
    def status(total, picked=()):
        found = sum_verdicts(Shop(mixed()), mixed(), [(4, total, 0.0)], list(picked), 1)
        return {one.rule: one.status for one in found}

    assert status(1.0004) == {"rule.normal": "PASS", "rule.hindsight": "PASS"}
    assert status(1.002) == {"rule.normal": "FAIL", "rule.hindsight": "SKIP"}
    assert status(1.5, ["minimum at line 3"]) == {"rule.hindsight": "FAIL", "rule.normal": "SKIP"}
    assert status(0.9)["rule.normal"] == "FAIL" and np.isfinite(SCORES).all()
