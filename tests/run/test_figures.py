"""Numbers of a submission.json, from the logs by a slower route."""

import statistics

import pytest
from folders import log_text

from pgolf.challenge import CHALLENGES, DEFAULT_CHALLENGE
from pgolf.errors import PgolfError
from pgolf.logs import parse_log
from pgolf.run.figures import check_claim, compliance, mean_of, result, seconds, significance, sizes_and_times, std_of

RULES = CHALLENGES[DEFAULT_CHALLENGE]
VALUES = {1: 1.10, 2: 1.12, 3: 1.17}


def runs(values=VALUES, **changes):
    return {
        seed: parse_log(log_text(b"code", seed, bpb=value, loss=2 * value, **changes)) for seed, value in values.items()
    }


def test_means_and_deviations_are_those_of_a_sample():
    found = runs()
    assert mean_of(found, "val_bpb") == pytest.approx(1.13) and mean_of(found, "val_loss") == pytest.approx(2.26)
    assert std_of(found, "val_bpb") == pytest.approx(statistics.stdev(VALUES.values()), abs=1e-8)
    assert std_of(runs({1: 1.1}), "val_bpb") is None


@pytest.mark.parametrize(
    ("claim", "fits"), [(None, True), (1.13, True), (1.13004, False), (1.1301, False), (1.10, False)]
)
def test_a_claim_is_the_mean_to_its_last_digit(claim, fits):
    if fits:
        check_claim(claim, runs(), "here")
        return
    with pytest.raises(PgolfError, match=r"their mean is 1\.13000000") as caught:
        check_claim(claim, runs(), "here")
    assert caught.value.code == "PG504" and "seed 1: 1.10000000" in str(caught.value)


def test_one_seed():
    found = result(runs()[1])
    assert (found["val_bpb"], found["val_loss"], found["artifact_bytes"], found["model_bytes"]) == (
        1.1,
        2.2,
        1004,
        1000,
    )
    assert (found["steps"], found["step_avg_ms"], found["train_time_s"], found["eval_time_s"]) == (2, 10.0, 0.02, 0.012)


def test_seconds():
    assert seconds(None) is None and seconds(1234.5678) == 1.235


def test_sizes_are_the_largest_and_times_means():
    found = runs()
    found[2] = parse_log(log_text(b"code", 2, model_bytes=3000))
    sizes = sizes_and_times(found)
    assert (sizes["bytes_total"], sizes["artifact_bytes_max"], sizes["bytes_model"], sizes["bytes_code"]) == (
        3004,
        3004,
        3000,
        4,
    )
    assert sizes["artifact_bytes_mean"] == round((1004 + 3004 + 1004) / 3) and sizes["train_time_s_mean"] == 0.02
    assert sizes["peak_memory_mib"] is None and sizes["hardware"] == "toy CPU, 2 threads"


@pytest.mark.parametrize(
    ("milliseconds", "within"),
    [(600_000, True), (600_000 + int(1000 * RULES.allowance_seconds), True), (700_000, False)],
)
def test_limits_as_the_logs_show_them(milliseconds, within):
    found = runs({1: 1.1, 2: 1.2})
    text = log_text(b"code", 3) + f"stopping_early: wallclock_cap train_time:{milliseconds}ms step:2/9\n"
    found[3] = parse_log(text)
    assert compliance(found, RULES) == {
        **{"train_under_600s": within, "eval_under_600s": True, "artifact_under_16mb": True, "three_seeds": True},
    }


def test_what_a_log_does_not_say_is_not_known():
    found = {1: parse_log(log_text(b"code").replace(" eval_time:12ms", "").replace(" eval_time:3ms", ""))}
    limits = compliance(found, RULES)
    assert limits["eval_under_600s"] is None and limits["three_seeds"] is False


def test_significance_is_against_the_row_to_beat():
    found = significance(runs({1: 1.0, 2: 1.0002, 3: 1.0001}), RULES)
    assert found["delta_vs_baseline_bpb"] == pytest.approx(1.0001 - found["comparison_baseline_bpb"], abs=1e-4) or (
        found["delta_vs_baseline_bpb"] == pytest.approx(found["comparison_baseline_bpb"] - 1.0001, abs=1e-4)
    )
    assert 0 <= found["p_value_welch_one_sided"] <= found["p_value_with_margin_0p005_nats"] < 0.01
