"""Batches that grow with the phases."""

import pytest
from models import built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.progress import measure_progress

SIZES = {"train_seq_len": 64, "train_batch_tokens": 4096}


def test_sizes_grow_phase_by_phase():
    made = built("batch_shape_schedule", seq_len_start=16, batch_tokens_start=2048, **SIZES)
    shape = made.program.batch_shape
    assert made.phases == ("full_length", "full_batch")
    assert shape(()) == (2048, 16)
    assert shape(("full_length",)) == (2048, 64)
    assert shape(("full_batch",)) == (4096, 16)
    assert shape(made.phases) == (4096, 64)


def test_a_size_that_does_not_change_has_no_phase():
    made = built("batch_shape_schedule", seq_len_start=0, batch_tokens_start=1024, batch_schedule_fraction=0.5, **SIZES)
    (spec,) = made.program.phases
    assert spec.name == "full_batch" and made.program.batch_shape(()) == (1024, 64)
    assert [spec.start(measure_progress(step, 100, 0.0, 0.0)) for step in (49, 50)] == [False, True]


def test_phases_do_not_change_the_forward():
    assert built().program.batch_shape is None


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"seq_len_start": 0}, "seq_len_start is 0, wanted more than 0"),
        ({"seq_len_start": 128}, "seq_len_start is 128, wanted at most train_seq_len=64"),
        ({"seq_len_start": 48}, "seq_len_start is 48, wanted a size"),
        ({"seq_len_start": 16, "batch_tokens_start": 1000}, "batch_tokens_start is 1000, wanted a size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(settings, text):
    with pytest.raises(PgolfError) as caught:
        resolved("batch_shape_schedule", **SIZES, **settings)
    assert caught.value.message.startswith(text)
