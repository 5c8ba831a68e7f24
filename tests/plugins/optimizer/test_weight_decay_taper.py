import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf.settings import SettingsView
from pgolf_plugins.optimizer.weight_decay_taper import schedules, taper_multiplier, taper_schedule


def test_multipliers():
    case = load_case("S4_taper")
    start, final = case.params["h"]["wd_taper_start_frac"], case.params["h"]["wd_taper_final_mult"]
    for fraction, value in zip(case.params["frac"], case.outputs["mul"].tolist(), strict=True):
        assert taper_multiplier(fraction, start, final) == pytest.approx(value, rel=1e-12)


def test_it_multiplies_what_is_there_and_leaves_a_receipt():
    ledger = Ledger()
    found = taper_schedule(measure_progress(85, 100, 0.0, 0.0), scalars(weight_decay_mul=2.0), ledger, 0.7, 0.5)
    assert found == scalars(weight_decay_mul=pytest.approx(1.5))
    assert ledger.receipt("weight_decay_taper") == "multiplier 0.7500 at step 85"


def test_a_taper_that_tapers_nothing_is_refused():
    with pytest.raises(PgolfError, match="nothing tapers"):
        schedules(SettingsView({"wd_taper_start_frac": 0.7, "wd_taper_final_mult": 1.0}, {"weight_decay_taper"}))
