"""Differences, and the test of results."""

import json
import random

import pytest
from folders import log_text

from pgolf.compare.differences import compare, curve, results
from pgolf.compare.scores import two_sided
from pgolf.compare.sides import Side
from pgolf.logs import RunRecord, TrainLine, parse_log

A = {"alpha": "1 (aa)", "beta": "1 (bb)"}


def runs(**bpb):
    return {int(seed[1:]): parse_log(log_text(b"x", int(seed[1:]), value)) for seed, value in bpb.items()}


def test_plugins_settings_and_bytes():
    a = Side("a", "lock", A, {"dim": 64, "lr": 0.1, "seed": 1, "old": 1}, 100, {"alpha": 60, "beta": 40})
    b = Side(
        "b",
        "lock",
        {"alpha": "2 (cc)", "gamma": "1 (dd)"},
        {"dim": 64.0, "lr": 0.2, "seed": 2, "new": 2},
        90,
        {"alpha": 60, "gamma": 30},
    )
    found = compare(a, b)
    assert (found.plugins_added, found.plugins_removed) == (["gamma"], ["beta"])
    assert found.plugins_changed == {"alpha": ("1 (aa)", "2 (cc)")}
    assert found.settings == {"lr": (0.1, 0.2), "old": (1, None), "new": (None, 2)}
    assert found.code_bytes == (100, 90) and [*found.plugin_bytes] == ["gamma", "alpha", "beta"]
    assert not found.same_program and not found.unknown
    assert compare(a, a).same_program
    json.dumps(found.as_record())


def test_what_one_side_does_not_say_is_unknown():
    log = Side("log", "logs", {"alpha": "", "beta": ""}, {"lr": "0.10"}, None, None, runs(s1=1.2))
    lock = Side("lock", "lock", A, {"lr": 0.1, "dim": 64}, 100, notes=["bytes are not known"])
    found = compare(log, lock)
    assert not found.plugins_changed and not found.settings and not found.same_program
    assert found.unknown == ["lock: bytes are not known", "results: lock has no logs"]
    assert "plugins: bare does not say" in compare(Side("bare", "logs"), lock).unknown


def test_paired_where_seeds_are_shared():
    found = results(runs(s1=1.10, s2=1.30, s3=1.20), runs(s1=1.09, s2=1.28, s3=1.19))
    # By hand: differences -0.01, -0.02, -0.01: mean -0.013333, t = -4 with 2 degrees of freedom.
    assert (
        found.difference == pytest.approx(-0.04 / 3)
        and found.p == pytest.approx(0.0571909584)
        and "paired t over 3" in found.test
    )
    apart = results(runs(s1=1.10, s2=1.30), runs(s4=1.09, s5=1.28))
    assert apart.test == "Welch's t" and apart.p > 0.5
    assert results(runs(s1=1.1), runs(s1=1.0)).p is None and results(
        runs(s1=1.1), runs(s1=1.0)
    ).difference == pytest.approx(-0.1)
    assert results(runs(s1=1.1, s2=1.2), runs(s1=1.0, s2=1.1)).test.startswith(("paired", "no test"))
    assert found.figures["bytes_total"] and "peak_memory_mib" not in found.figures


def test_no_result_is_no_difference():
    found = results({1: RunRecord()}, runs(s1=1.0))
    assert found.difference is None and found.p is None
    assert two_sided(0.5) == 1.0 and two_sided(0.999) == pytest.approx(0.002)


def test_curves_at_common_steps():
    def run(steps, loss):
        return RunRecord(train=[TrainLine(step, 99, loss + step, 1.0) for step in steps])

    found = curve({1: run(range(0, 100, 2), 1.0), 2: run(range(0, 100, 2), 3.0)}, {1: run(range(0, 100, 5), 1.0)})
    assert [step for step, *_ in found] == [0, 10, 30, 40, 50, 60, 80, 90]
    assert all(one - other == 1.0 for _, one, other in found)
    assert curve({1: run([1], 1.0)}, {1: run([2], 1.0)}) == []
    chance = random.Random(1)
    steps = sorted(chance.sample(range(1000), 30))
    assert [step for step, *_ in curve({1: run(steps, 0.0)}, {1: run(steps, 0.0)})][::7] == [steps[0], steps[-1]]
