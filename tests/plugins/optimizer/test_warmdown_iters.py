import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf_plugins.optimizer.warmdown_iters import warmdown_multiplier, warmdown_schedule


@pytest.mark.parametrize("name", ["S1_iter", "S1_wall", "S1_wall_long"])
def test_multipliers(name):
    case = load_case(name)
    settings, cap = case.params["h"], case.params["cap_ms"] or 0.0
    wanted = case.outputs["mul"].tolist()
    for step, elapsed, value in zip(case.params["step"], case.params["elapsed_ms"], wanted, strict=True):
        progress = measure_progress(step, settings["iterations"], float(elapsed), cap)
        assert warmdown_multiplier(progress, settings["warmdown_iters"]) == pytest.approx(value, rel=1e-12)


def test_it_multiplies_what_is_there_and_leaves_a_receipt():
    ledger = Ledger()
    found = warmdown_schedule(measure_progress(75, 100, 0.0, 0.0), scalars(lr_mul=0.5), ledger, 50)
    assert found == scalars(lr_mul=0.25)
    assert ledger.receipt("warmdown_iters") == "multiplier 0.5000 at step 75"


def test_off():
    assert warmdown_multiplier(measure_progress(99, 100, 0.0, 0.0), 0) == 1.0


def test_past_the_cap_the_rate_is_zero():
    assert warmdown_multiplier(measure_progress(10, 100, 700.0, 600.0), 5) == 0.0
