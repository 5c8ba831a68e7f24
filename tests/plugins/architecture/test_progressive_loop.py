"""Progressive recurrence: its orders are those of layer_loop with one and with two extra passes."""

import pytest
from models import built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.progress import measure_progress


def test_orders_grow_pass_by_pass():
    sizes = {"num_layers": 11, "loop_start": 3, "loop_end": 5}
    made = built("progressive_loop", **sizes)
    plan = made.program.layer_plan
    assert plan(()) == built(num_layers=11).program.layer_plan(())
    for phases, loops in ((("loop",), 1), (("loop", "loop_twice"), 2)):
        assert plan(phases) == built("layer_loop", num_loops=loops, **sizes).program.layer_plan(("loop",))
    assert made.model.skip_weights.shape[0] == 8


def test_passes_begin_at_their_shares_of_the_budget():
    begins = [spec.start for spec in built("progressive_loop", loop_start=1, loop_end=2).program.phases]
    seen = [[start(measure_progress(step, 100, 0.0, 0.0)) for start in begins] for step in (49, 50, 64, 65)]
    assert seen == [[False, False], [True, False], [True, False], [True, True]]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"loop_end": 4}, "loop_end is 4, wanted at most 3"),
        ({"loop_start": 3}, "loop_start is 3, wanted at most loop_end=2"),
        ({"loop_phase2_at": 1}, "loop_phase2_at is 1.0, wanted less than 1"),
        ({"loop_phase2_at": 0.5}, "enable_looping_at is 0.5, wanted less than loop_phase2_at=0.5"),
    ],
)
def test_what_would_never_begin_is_refused(settings, text):
    with pytest.raises(PgolfError) as caught:
        resolved("progressive_loop", **{"loop_start": 1, "loop_end": 2, **settings})
    assert text in caught.value.message
