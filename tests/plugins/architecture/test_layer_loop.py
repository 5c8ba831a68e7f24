"""A loop that is on from the first step: stem, a core that runs several times, tail."""

import pytest
from models import built

from pgolf.runtime.progress import measure_progress


@pytest.mark.parametrize(("layers", "start", "end", "loops"), [(9, 3, 5, 2), (8, 3, 4, 4)], ids=["3x3", "2x5"])
def test_a_middle_cycle_is_a_loop_that_is_always_on(layers, start, end, loops):
    """The recurrence of PR #363: three layers of stem and of tail, and a core of 3 layers 3 times or of 2 layers 5 times."""
    sizes = {"num_layers": layers, "loop_start": start, "loop_end": end, "num_loops": loops, "enable_looping_at": 0}
    made = built("layer_loop", **sizes)
    encoder, decoder = made.program.layer_plan(("loop",))
    core = [*range(start, end + 1)] * (loops + 1)
    assert [*encoder, *decoder] == [0, 1, 2, *core, *range(end + 1, layers)] and layers - 1 - end == 3
    assert made.program.phases[0].start(measure_progress(0, 100, 0.0, 0.0))
