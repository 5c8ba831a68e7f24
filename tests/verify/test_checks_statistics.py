"""The scores of the seeds against the row to beat."""

from types import SimpleNamespace

import pytest

from pgolf.challenge import CHALLENGES, DEFAULT_CHALLENGE
from pgolf.verify import checks_statistics
from pgolf.verify.checks_statistics import check_p, scores


def run(bpb, loss):
    return SimpleNamespace(headline=SimpleNamespace(val_bpb=str(bpb), val_loss=str(loss)))


def view(values, kind="", timed=True, claimed=1.1, losses=None):
    runs = {f"{number}.log": run(value, 2 * value) for number, value in enumerate(values)}
    match = SimpleNamespace(kind=kind, values=tuple(values), losses=tuple(losses or [2 * value for value in values]))
    evidence = SimpleNamespace(match=match, used=runs, timed=timed, claimed=SimpleNamespace(value=claimed))
    return SimpleNamespace(evidence=evidence, challenge=CHALLENGES[DEFAULT_CHALLENGE])


@pytest.mark.parametrize("kind", ["", "mean", "run"])
def test_scores_come_from_the_final_lines_or_those_of_the_claim(kind):
    assert scores(view([1.1, 1.2], kind)) == ([1.1, 1.2], 2.0)
    changed = view([1.1, 1.2], kind)
    changed.evidence.match.values, changed.evidence.match.losses = (1.3,), (3.9,)
    assert scores(changed) == (([1.3], 3.0) if kind == "mean" else ([1.1, 1.2], 2.0))


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_numbers_that_are_none_give_nothing(bad):
    assert scores(view([1.1, bad])) == ([], 1.0)
    assert check_p(view([1.1, bad])).status == "SKIP"


@pytest.mark.parametrize("given", [view([1.1]), view([1.1, 1.2], timed=False), view([])])
def test_too_little_is_not_tested(given):
    found = check_p(given)
    assert found.status == "SKIP" and "two finished logs" in found.message


ROW = SimpleNamespace(label="of a test", seed_val_bpb=(1.1100, 1.1102, 1.1101))


@pytest.mark.parametrize(
    ("values", "status"), [([1.0500, 1.0502, 1.0501], "PASS"), ([1.1101, 1.1100, 1.1103], ""), ([1.2, 1.2001], "")]
)
def test_clearly_better_passes_and_no_better_does_not(values, status, monkeypatch):
    monkeypatch.setattr(checks_statistics, "row_to_beat", lambda values, claimed: ROW)
    found = check_p(view(values))
    assert found.status == status and "row of a test" in found.message


def test_equal_scores_cannot_be_tested(monkeypatch):
    same = SimpleNamespace(label="x", seed_val_bpb=(1.2, 1.2))
    monkeypatch.setattr(checks_statistics, "row_to_beat", lambda values, claimed: same)
    assert "nothing to test" in check_p(view([1.1, 1.1])).message


def test_without_a_row_nothing_is_said(monkeypatch):
    monkeypatch.setattr(checks_statistics, "row_to_beat", lambda values, claimed: None)
    assert "no leaderboard row" in check_p(view([1.1, 1.2])).message
