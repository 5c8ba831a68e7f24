"""submission.json as people write it: the headline, the seeds, and where the logs have it."""

from types import SimpleNamespace

import pytest

from pgolf.verify.claims import Claimed, fit, is_number, last_digit, read_claim, seed_results


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, True),
        (1.5, True),
        (True, False),
        ("1", False),
        (None, False),
        (float("nan"), False),
        (10**400, False),
        (-2, True),
    ],
)
def test_numbers(value, number):
    assert is_number(value) is number


@pytest.mark.parametrize(("value", "unit"), [(1.1, 0.1), (1.1234, 1e-4), (2.0, 0.1), (1e-7, 1e-12)])
def test_one_unit_of_the_last_digit(value, unit):
    assert last_digit(value) == pytest.approx(unit) and Claimed("k", value).half_unit == pytest.approx(unit / 2)


@pytest.mark.parametrize(
    ("claim", "key", "value"),
    [
        ({"val_bpb": 1.1}, "val_bpb", 1.1),
        ({"mean_val_bpb": 1.2, "score": 1.3}, "mean_val_bpb", 1.2),
        ({"val_bpb": None, "bpb": 1.3}, "bpb", 1.3),
        ({"val_bpb": -1.0, "score": 2.0}, "score", 2.0),
        ({"val_bpb": {"mean": 1.4}}, "val_bpb.mean", 1.4),
        ({"results": {"val_bpb": 1.5}}, "results.val_bpb", 1.5),
        ({"seed_results": {"val_bpb": 1.5}}, "", None),
        ({"ttt_bpb": 1.6}, "ttt_bpb", 1.6),
        ({"bpb_std": 0.1, "delta_bpb": 0.2, "baseline_bpb": 1.2, "sota_bpb": 1.1}, "", None),
        ({"name": "x"}, "", None),
        ({}, "", None),
    ],
)
def test_the_headline(claim, key, value):
    found = read_claim(claim)
    assert (found.key, found.value, found.is_text) == (key, value, False)


def test_a_number_in_a_text_is_read_and_remembered_as_one():
    assert read_claim({"val_bpb": " 1.1234 "}) == Claimed("val_bpb", 1.1234, True)
    assert read_claim({"val_bpb": "about 1.1"}) == Claimed() and Claimed().half_unit == 0.0


@pytest.mark.parametrize(
    "claim",
    [
        {"seed_results": {"42": {"a": 1}}},
        {"seeds": {"seed_42": {"a": 1}}},
        {"per_seed": [{"seed": 42, "a": 1}]},
        {"seed_42": {"a": 1}},
        {"seed42": {"a": 1}, "seed_results": "none"},
    ],
)
def test_seeds_and_their_results(claim):
    found = seed_results(claim)
    assert list(found) == [42] and found[42]["a"] == 1


@pytest.mark.parametrize(
    "claim", [{"seeds": [42]}, {"seed_results": {"x": {}}}, {"seed_results": {"1": 7}}, {"seeds": None}, {}]
)
def test_what_names_no_results(claim):
    assert seed_results(claim) == {}


def run(bpb, *others, diverged=False, label="final", bare=(), vals=()):
    """A finished run; `others` are (label, bpb) of earlier lines."""
    lines = [
        SimpleNamespace(label=name, val_bpb=f"{value:.4f}", val_loss=f"{2 * value:.4f}")
        for name, value in (*others, (label, bpb))
    ]
    pairs = [(1, SimpleNamespace(val_bpb=value)) for value in vals]
    return SimpleNamespace(headline=lines[-1], finals=lines, diverged=diverged, bare_bpb=list(bare), vals=pairs)


RUNS = {"a": run(1.1012, ("early", 1.3011), vals=["1.4123"]), "b": run(1.2034, ("early", 1.3655), bare=["1.5123"])}


@pytest.mark.parametrize(
    ("value", "kind", "names"),
    [
        (1.1523, "mean", ("a", "b")),
        (1.1523001, "mean", ("a", "b")),
        (1.3333, "line", ("a", "b")),
        (1.2034, "run", ("b",)),
        (1.3011, "value", ("a",)),
        (1.5123, "value", ("b",)),
        (1.4123, "trained", ("a",)),
        (1.7123, "", ()),
    ],
)
def test_where_the_logs_have_the_headline(value, kind, names):
    found = fit(Claimed("val_bpb", value), [RUNS, RUNS], RUNS, 1e-6)
    assert (found.kind, found.names) == (kind, names)


def test_a_claim_without_a_number_is_nowhere():
    assert fit(Claimed(), [RUNS, RUNS], RUNS, 1e-6).kind == ""


def test_a_diverged_run_is_left_out_of_the_mean_and_named():
    runs = {**RUNS, "c": run(9.0, diverged=True)}
    found = fit(Claimed("val_bpb", 1.1523), [runs, runs], runs, 1e-6)
    assert found.kind == "mean" and found.text.endswith("2 logs, without c") and found.values == (1.1012, 1.2034)


def test_logs_that_did_not_train_are_an_evaluation():
    runs = {**RUNS, "c": run(1.0512), "d": run(1.0714)}
    found = fit(Claimed("val_bpb", 1.0613), [runs, runs], RUNS, 1e-6)
    assert (found.kind, found.names) == ("eval", ("c", "d"))
