import pytest
from pipeline_vectors import load_case
from simulated import scalars

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.progress import measure_progress
from pgolf_plugins.optimizer.momentum_warmup import momentum_schedule


def test_momentum_rises_to_its_final_value():
    case, ledger = load_case("O4_momentum_baseline"), Ledger()
    params = case.params
    (wanted,) = case.outputs.values()
    for step, value in zip(params["at"], wanted.tolist(), strict=True):
        progress = measure_progress(step, 20000, 0.0, 0.0)
        found = momentum_schedule(progress, scalars(), ledger, params["start"], params["final"], params["warm"])
        assert found.momentum == pytest.approx(value, rel=1e-12)
        assert found.lr_mul == 1.0
    assert ledger.receipt("momentum_warmup") == "momentum 0.9500 at step 5000"


def test_without_a_warmup_it_starts_at_the_end():
    assert momentum_schedule(measure_progress(0, 9, 0.0, 0.0), scalars(), Ledger(), 0.85, 0.9, 0).momentum == 0.9
