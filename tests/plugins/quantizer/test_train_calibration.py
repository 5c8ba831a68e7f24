"""The calibration source: how many batches, of what, and how much time is kept for them."""

from types import SimpleNamespace

import pytest
import torch
from models import resolved

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.quantizer.train_calibration import TrainCalibration


@pytest.mark.parametrize("ranks", [1, 2, 4, 8])
def test_all_ranks_together_see_whole_batches(ranks):
    stream = iter(range(1000))
    session = SimpleNamespace(
        world=SimpleNamespace(world_size=ranks),
        ledger=Ledger(),
        next_batch=lambda: (torch.tensor(next(stream)), None, {}),
    )
    found = [ids.item() for ids in TrainCalibration(3)(session)]
    assert found == list(range(3 * 8 // ranks))
    assert session.ledger.receipt("train_calibration") == f"{len(found)} micro-batches"


def test_time_is_kept_for_it():
    entry = resolved("gptq", max_wallclock_seconds=600, gptq_reserve_seconds=4).entry
    assert "reserve=4.0," in entry and "TrainCalibration(batches=16)" in entry


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"gptq_reserve_seconds": 0}, "reads training data, and no time is reserved"),
        ({"gptq_reserve_seconds": 600}, "600 s are reserved of max_wallclock_seconds = 600"),
        ({"gptq_calibration_batches": 0}, "wanted at least 1"),
    ],
)
def test_a_build_without_time_for_it_is_refused(settings, complaint):
    with pytest.raises(PgolfError, match=complaint):
        resolved("gptq", **settings)


def test_without_a_budget_nothing_needs_to_be_kept():
    assert "reserve=None" in resolved("gptq", max_wallclock_seconds=0, gptq_reserve_seconds=0).entry
