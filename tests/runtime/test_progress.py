"""Where training stands: the share of the budget that is used."""

import pytest

from pgolf.runtime.progress import Progress, Scalars, measure_progress


@pytest.mark.parametrize(
    ("step", "iterations", "elapsed", "cap", "fraction"),
    [
        (0, 100, 0.0, 0.0, 0.0),
        (25, 100, 9e9, 0.0, 0.25),
        (100, 100, 0.0, 0.0, 1.0),
        (3, 100, 150.0, 600.0, 0.25),
        (3, 100, 900.0, 600.0, 1.5),
        (3, 0, 0.0, 0.0, 3.0),
    ],
)
def test_time_counts_under_a_cap_and_steps_without(step, iterations, elapsed, cap, fraction):
    found = measure_progress(step, iterations, elapsed, cap)
    assert found == Progress(step, iterations, elapsed, cap, fraction, 1.0)


def test_schedules_set_three_numbers():
    assert Scalars._fields == ("lr_mul", "weight_decay_mul", "momentum")
