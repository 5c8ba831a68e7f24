"""The published p-values of records and of the leaderboard's audit, from the same figures."""

import math
import subprocess
import sys

import pytest
from test_leaderboard import seeds

from pgolf.challenge import CHALLENGES
from pgolf.statistics import compare, one_sample, student, welch

RULES = CHALLENGES["2026-04"]


SP1024, SP4096, SP8192, CASEOPS = 1.68846, 2.30102, 2.58310, 2.18837  # nats per bit per byte


@pytest.mark.parametrize(
    ("new", "old", "nats", "plain", "with_margin"),
    [(1514, 1493, SP8192, 0.0203, 0.949), (1769, 1736, CASEOPS, 0.0626, 0.973)],
)
def test_the_audit_of_the_leaderboard(new, old, nats, plain, with_margin):
    found = compare(seeds(new), nats, "x", seeds(old), RULES)
    assert found.p_without_margin == pytest.approx(plain, abs=5e-5)
    assert found.p_with_margin == pytest.approx(with_margin, abs=5e-4)
    assert found.practised and not found.written


@pytest.mark.parametrize(
    ("new", "old", "nats", "p"),
    [
        (1019, 549, SP1024, 0.0095),
        (1218, 1204, SP4096, 0.0097),
        (1285, 1218, SP4096, 0.0037),
        (1394, 1334, SP8192, 0.0006),
        (1530, 1514, SP8192, 0.0016),
    ],
)
def test_rows_that_fulfil_the_written_rule(new, old, nats, p):
    found = compare(seeds(new), nats, "x", seeds(old), RULES)
    assert found.p_with_margin == pytest.approx(p, abs=6e-5) and found.written


def test_a_published_two_sample_test():
    found = welch(seeds(1019), seeds(549))
    assert (round(found.t, 2), round(found.df, 2), round(found.p, 5)) == (-11.83, 3.31, 0.00040)
    assert round(2 * found.p, 5) == 0.00081


def test_published_one_sample_tests():
    assert one_sample([1.1935, 1.1927, 1.1921, 1.1929], 1.195).p == pytest.approx(0.00234486, abs=5e-9)
    losses = [1.98492632, 1.98265459, 1.98298356]
    assert 0.00028 <= one_sample(losses, 2.01348 - 0.005).p <= 0.00060
    assert one_sample(losses, 2.07269931).p == pytest.approx(0.00003, abs=1e-5)


def test_a_margin_in_nats_is_worth_more_bits_where_tokens_are_short():
    one, two = (compare(seeds(1855), nats, "x", seeds(1736), RULES) for nats in (SP1024, SP8192))
    assert one.margin_bpb == pytest.approx(0.002961, abs=1e-6) and two.margin_bpb == pytest.approx(0.001936, abs=1e-6)
    assert one.delta_nats == pytest.approx(one.delta_bpb * SP1024)


def test_the_line_says_what_is_needed_and_had():
    found = compare([1.05, 1.0501, 1.0502], CASEOPS, "row #1855", seeds(1855), RULES)
    assert found.line.startswith("row #1855: had +0.01098 BPB (+0.02402 nats), needs 0.00228 BPB (0.005 nats); p 0.00")
    assert found.line.endswith("a record by the written rule, enough as rows were accepted")


def test_a_row_with_its_mean_alone_is_a_constant():
    assert compare([1.0, 1.001, 1.002], SP8192, "x", [1.1], RULES).written
    assert compare([1.0], SP8192, "x", seeds(1855), RULES).p_without_margin is None
    assert compare([1.0, 1.0], SP8192, "x", [1.1], RULES).p_without_margin is None
    with pytest.raises(ValueError, match="two values"):
        welch([1.0], [1.0, 1.1])


def test_verifying_loads_neither_numpy_nor_torch():
    """They take longer than the reading of a folder."""
    code = "import pgolf.cli.main, pgolf.statistics, pgolf.verify.report, sys; assert not {'numpy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("t", "df", "p"),
    [
        # Tables of Student's distribution; df 1 and 2 have closed forms.
        (0.0, 3.0, 0.5),
        (-1.0, 1.0, 0.25),
        (-6.313752, 1.0, 0.05),
        (-(2.0**0.5), 2.0, 0.5 - 0.5 / 2.0**0.5),
        (2.919986, 2.0, 0.95),
        (-4.540703, 3.0, 0.01),
        (-2.364624, 7.0, 0.025),
        (1.644854, 1e7, 0.95),
    ],
)
def test_students_distribution(t, df, p):
    assert student(t, df) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("df", [1.0, 1.7, 2.0, 3.9, 12.0, 80.0])
@pytest.mark.parametrize("t", [-30.0, -4.0, -0.7, -1e-3, 0.4, 6.0])
def test_students_distribution_by_summing_its_density(t, df):
    """Simpson's rule over the angle: with t = sqrt(df) tan(u) the density is a power of the cosine."""
    steps, start, end = 4000, -math.pi / 2, math.atan(t / math.sqrt(df))
    width = (end - start) / steps
    front = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    values = [front * abs(math.cos(start + at * width)) ** (df - 1) for at in range(steps + 1)]
    total = values[0] + values[-1] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2])
    assert student(t, df) == pytest.approx(total * width / 3, rel=1e-5, abs=1e-9)


def test_spread_too_small_for_a_number_is_no_test():
    with pytest.raises(ValueError, match="spread"):
        welch([1e-200, 2e-200], [3e-200, 4e-200])
