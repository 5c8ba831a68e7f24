"""Plans as text."""

from models import resolved
from plans import looped, plain

from pgolf.plan import listing
from pgolf.plan.trace import trace_plan


def test_headings_say_what_is_on_and_how_long_the_walk_is():
    before, after = looped().variants
    assert listing.heading(before) == "phases none: 3 encoder and 3 decoder steps, 3 skips, 2 lanes"
    assert listing.heading(after) == (
        "phases loop: 4 encoder and 4 decoder steps, 4 skips, 2 lanes, 2 steps repeat a layer"
    )
    assert listing.order(after) == "0 1 2 3 | (2) (3) 4 5"


def test_rows_and_remarks_name_what_is_read():
    _, after = looped().variants
    row = listing.cells(after.steps[6], looped())
    assert row[:6] == ("6", "decoder", "4", "1", "1", "1 to 2") and "parallel_resid_lambdas" in row[7]
    assert listing.remarks(after) == ["outside of steps: tok_emb.weight"]
    assert listing.ending(plain()).startswith("3 compiled variants of 16 allowed: 1 of training")


def test_a_phase_after_training_is_compiled_for_scoring_alone():
    more = resolved("layer_loop", num_loops=1, loop_start=1, loop_end=2, eval_num_loops=2)
    assert listing.ending(trace_plan("more", more)).startswith("5 compiled variants of 16 allowed: 2 of training")
