import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf.settings import SettingsView
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


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.9, 0.5, 0.65, 1.5), "wd_sched_hold_frac is 0.9, wanted at most wd_sched_ramp_frac=0.5"),
        ((0.4, 1.0, 0.65, 1.5), "wd_sched_ramp_frac is 1.0, wanted less than 1, the end of training"),
        (
            (0.4, 0.85, 1.0, 1.0),
            "wd_sched_high_factor is 1.0, wanted another than 1 where wd_sched_low_factor is 1 too",
        ),
    ],
)
def test_what_cannot_work_is_a_build_error(values, message):
    names = ("wd_sched_hold_frac", "wd_sched_ramp_frac", "wd_sched_low_factor", "wd_sched_high_factor")
    with pytest.raises(PgolfError) as caught:
        schedules(SettingsView(dict(zip(names, values, strict=True)), ()))
    assert caught.value.message == message
