from types import SimpleNamespace

import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf_plugins.optimizer.weight_decay_schedule import decay_multiplier, decay_schedule, schedules


@pytest.mark.parametrize("name", ["S5_wd", "S5_wd_strong"])
def test_multipliers_follow_the_vectors(name):
    case = load_case(name)
    shape = case.params["h"]
    for fraction, wanted in zip(case.params["frac"], case.outputs["mul"].tolist(), strict=True):
        found = decay_multiplier(
            fraction,
            shape["wd_sched_hold_frac"],
            shape["wd_sched_ramp_frac"],
            shape["wd_sched_low_factor"],
            shape["wd_sched_high_factor"],
        )
        assert found == pytest.approx(wanted, rel=1e-12)


def test_only_weight_decay_changes_and_schedules_multiply():
    ledger, progress = Ledger(), measure_progress(85, 100, 0.0, 0.0)
    found = decay_schedule(progress, scalars(0.5, 0.9, 2.0), ledger, 0.4, 0.85, 0.65, 1.5)
    assert found == scalars(0.5, 0.9, 2.0 * 0.65)
    assert ledger.receipt("weight_decay_schedule") == "multiplier 0.6500 at step 85"


def test_no_ramp_is_a_jump():
    assert [decay_multiplier(f, 0.5, 0.5, 0.6, 1.6) for f in (0.5, 0.75, 1.0)] == [1.0, pytest.approx(1.1), 1.6]


@pytest.mark.parametrize(("hold", "ramp"), [(0.9, 0.5), (0.4, 1.0)])
def test_an_order_that_cannot_work_is_a_build_error(hold, ramp):
    settings = SimpleNamespace(
        wd_sched_hold_frac=hold, wd_sched_ramp_frac=ramp, wd_sched_low_factor=0.65, wd_sched_high_factor=1.5
    )
    with pytest.raises(PgolfError, match="wanted hold <= ramp < 1"):
        schedules(settings)
