import math

import pytest

from pgolf.runtime.water_filling import bit_price, mean_errors, water_factors, water_level

ERRORS = {"a": 1.0, "b": 4.0, "c": 100.0, "d": 0.3}
COUNTS = {"a": 1000, "b": 500, "c": 2000, "d": 50}


def fill(errors, counts, bits, most):
    def saved(level):
        return sum(counts[name] * math.log2(factor) for name, factor in water_factors(errors, level, most).items())

    level = water_level(saved, min(errors.values()), most**2 * max(errors.values()), bits)
    return water_factors(errors, level, most), level


@pytest.mark.parametrize("bits", [10.0, 400.0, 2000.0, 3000.0])
def test_a_bit_costs_the_same_wherever_it_is_saved_and_more_elsewhere(bits):
    """The conditions of the optimum: marginal costs 2 ln 2 f^2 e are equal inside the limits, and on the right side at them."""
    factors, level = fill(ERRORS, COUNTS, bits, 3.0)
    assert sum(COUNTS[name] * math.log2(factor) for name, factor in factors.items()) == pytest.approx(bits, rel=1e-6)
    costs = {name: factor * factor * ERRORS[name] for name, factor in factors.items()}
    inside = [costs[name] for name, factor in factors.items() if 1 < factor < 3]
    assert inside == pytest.approx([level] * len(inside))
    assert all(costs[name] >= level * 0.999 for name, factor in factors.items() if factor == 1)
    assert all(costs[name] <= level * 1.001 for name, factor in factors.items() if factor == 3)


def test_the_price_is_the_slope():
    """One bit less in each code of a group makes its error four times as large."""
    step = 1e-6
    assert ((2**step) ** 2 * 5.0 - 5.0) / step == pytest.approx(bit_price(5.0), rel=1e-4)


def test_no_factor_passes_the_limit():
    assert set(fill(ERRORS, COUNTS, 1e9, 2.0)[0].values()) == {2.0}  # exactly: the search ends there


def test_a_group_has_one_factor_by_its_mean_error():
    """Two groups: what one saves more costs as much as what the other saves less, and the bits are those of all tensors."""
    groups = {"a": "x", "b": "x", "c": "y", "d": "x"}
    sums = {name: ERRORS[name] * COUNTS[name] for name in ERRORS}
    means, counts = mean_errors(groups, sums, COUNTS)
    assert counts == {"x": 1550, "y": 2000} and means["y"] == 100.0
    factors, _ = fill(means, counts, 8000.0, 100.0)
    assert factors["x"] > factors["y"] > 1

    def cost(first, second):
        return sum(sums[name] * (first if groups[name] == "x" else second) ** 2 for name in sums)

    least = cost(factors["x"], factors["y"])
    for shift in (0.9, 0.99, 1.01, 1.1):
        other = math.exp2((8000.0 - 1550 * math.log2(factors["x"] * shift)) / 2000)
        assert other > 1 and cost(factors["x"] * shift, other) > least


def test_errors_of_nothing_are_no_division_by_zero():
    means, counts = mean_errors({"a": "x"}, {"a": 0.0}, {"a": 5})
    assert fill(means, counts, 2.5, 4.0)[0]["x"] == pytest.approx(math.sqrt(2))
