"""Which positions are drawn, and what verdicts come of what changed."""

import numpy as np
import pytest
from test_dependence import SCORES, changed, trial

from pgolf.probe.dependence import violations
from pgolf.probe.order_probes import FAR, borders, flips, order_verdict, suffixes
from pgolf.probe.piece_file import BOS
from pgolf.probe.shrinking import Sizes
from pgolf.probe.workshop import Script, Workshop


def shop(tmp_path, seed):
    return Workshop(Script("a.py", "print(1)\n"), Sizes(), tmp_path, None, 1.0, seed)


@pytest.mark.ci
def test_positions_are_spread_and_drawn_from_the_seed(tmp_path):
    first, again, other = ([int(places[0]) for _, places in flips(shop(tmp_path, seed)).values()] for seed in (1, 1, 2))
    assert first == again != other and first == sorted(first) and max(first) > 1200
    one = shop(tmp_path, 1)
    for plan, places in (*flips(one).values(), *suffixes(one).values()):
        differ = np.nonzero(plan.stream.tokens != one.official.tokens)[0]
        assert np.array_equal(differ, places) and BOS not in one.official.tokens[places]
    for plan, places in borders(one, 64).values():
        back = 1 if plan.name.endswith("near") else FAR
        assert one.official.tokens[places[0] + back] == BOS


def test_a_probe_alone_draws_what_it_draws_among_others(tmp_path):
    every, alone = shop(tmp_path, 1), shop(tmp_path, 1)
    flips(every), suffixes(every)
    for name, (plan, places) in borders(alone, 64).items():
        other, others = borders(every, 64)[name]
        assert np.array_equal(places, others) and np.array_equal(plan.stream.tokens, other.stream.tokens)


def test_verdicts():
    base = trial(SCORES)
    none = np.zeros(0, np.int64)
    found = violations("flip0", base, changed(3), np.array([10]), none)
    verdict = order_verdict("rule.causal", found, 1, [], base)
    assert verdict.status == "FAIL" and "position 3 depends on the token at 10" in verdict.message
    assert verdict.findings[0]["before"] == SCORES[2] and verdict.findings[0]["line"] == 7
    assert order_verdict("rule.onepass", found, 1, [], base).status == "SKIP"
    assert order_verdict("rule.causal", [], 1, [], base).status == "PASS"
    assert order_verdict("rule.causal", [], 0, ["it broke"], base).message.endswith("it broke")
