"""The table of checks: unique ids, outcomes, and how a violation is put."""

import pytest

from pgolf.verify import registry
from pgolf.verify.registry import (
    Check,
    check,
    checks_of,
    log_file,
    look_again,
    passed,
    per_log,
    skipped,
    violated,
    warned,
)
from pgolf.verify.report import all_checks


@pytest.fixture
def table(monkeypatch):
    """An empty one."""
    monkeypatch.setattr(registry, "CHECKS", {})
    return registry.CHECKS


def test_a_check_is_registered_with_all_that_is_said_of_it(table):
    @check("a.b", "FAIL", "it holds", "somebody", "it does not")
    def decide(view):
        return passed("yes")

    item = registry.CHECKS["a.b"]
    assert (item.id, item.severity, item.function, item.example) == ("a.b", "FAIL", decide, "it does not")
    assert item.rule == "it holds (somebody)" and [found.id for found in checks_of(__name__)] == ["a.b"]
    with pytest.raises(AssertionError):
        check("a.b", "FAIL", "", "")
    with pytest.raises(AssertionError):
        check("a.c", "MAYBE", "", "")


@pytest.mark.parametrize(("severity", "violation"), [("FAIL", "FAIL"), ("WARN", "WARN"), ("INFO", "WARN")])
def test_what_a_violation_yields(severity, violation):
    assert Check("a", severity, "", "", passed).violation == violation


def test_outcomes():
    made = [function("m", key=1) for function in (passed, violated, warned, skipped)]
    assert [found.status for found in made] == ["PASS", "", "WARN", "SKIP"]
    assert all(found.message == "m" and found.evidence == {"key": 1} for found in made)


def test_ids_are_families_with_names_and_modules_keep_their_order():
    ids = [item.id for item in all_checks()]
    assert len(set(ids)) == len(ids) and all(len(name.split(".")) == 2 for name in ids)
    own = [item.id for item in checks_of("pgolf.verify.checks_claim")]
    assert own == [name for name in ids if name in own] and own[0] == "claim.logged"


def test_a_run_is_shown_by_its_file():
    assert log_file("a.log (run 2)") == "a.log" == log_file("a.log") and log_file("a (run x)") == "a (run x)"
    assert look_again(["b.log", "a b.log (run 2)", "b.log (run 1)"]) == "pgolf logs 'a b.log' b.log"


def test_one_outcome_for_all_logs():
    assert per_log({}, "good", n=1) == passed("good", n=1)
    found = per_log({"b.log": "worse", "a.log": "bad"}, "good")
    assert found.status == "" and found.message == "a.log: bad (and 1 more)"
    assert found.evidence["problems"] == {"a.log": "bad", "b.log": "worse"}
    assert found.evidence["rerun"] == "pgolf logs a.log"
    assert per_log({"a.log and b.log": "differ"}, "").evidence["rerun"] == "pgolf logs a.log b.log"
    assert "rerun" not in per_log({"kernel.cu": "odd"}, "").evidence
