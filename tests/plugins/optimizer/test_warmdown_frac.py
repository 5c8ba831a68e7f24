import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf_plugins.optimizer.warmdown_frac import warmdown_multiplier, warmdown_schedule


@pytest.mark.parametrize("name", ["S2_frac_pr1394", "S2_frac_nocap", "S3_minlr_pr1855"])
def test_multipliers(name):
    case = load_case(name)
    settings, cap = case.params["h"], case.params["cap_ms"] or 0.0
    for step, elapsed, fraction, value in zip(
        case.params["step"], case.params["elapsed_ms"], case.outputs["frac"], case.outputs["mul"], strict=True
    ):
        progress = measure_progress(step, settings["iterations"], float(elapsed), cap)
        assert progress.fraction == pytest.approx(fraction.item(), rel=1e-12)
        found = warmdown_multiplier(progress.fraction, settings["warmdown_frac"], settings["min_lr"])
        assert found == pytest.approx(value.item(), rel=1e-12)


def test_it_multiplies_what_is_there_and_leaves_a_receipt():
    ledger = Ledger()
    found = warmdown_schedule(measure_progress(75, 100, 0.0, 0.0), scalars(lr_mul=0.5), ledger, 0.5, 0.0)
    assert found == scalars(lr_mul=0.25)
    assert ledger.receipt("warmdown_frac") == "multiplier 0.5000 at step 75"


def test_the_rate_never_rises_and_ends_at_the_floor():
    values = [warmdown_multiplier(step / 100, 0.75, 0.1) for step in range(120)]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1.0 and values[-1] == 0.1 and values[93:] == [0.1] * 27
    assert warmdown_multiplier(0.99, 0.0, 0.1) == 1.0
