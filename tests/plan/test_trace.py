"""Traced plans: order, skips, lanes, and what each step reads."""

import pytest
from models import built, resolved
from plans import looped, plain

from pgolf.plan.trace import trace_plan
from pgolf.runtime import wiring


def test_steps_are_those_of_the_layer_plan():
    for variant in looped().variants:
        encoder, decoder = built("layer_loop", num_layers=6, num_loops=1, loop_start=2, loop_end=3).program.layer_plan(
            variant.phases
        )
        assert tuple(step.layer for step in variant.steps) == encoder + decoder
        assert [step.decoder for step in variant.steps] == [False] * len(encoder) + [True] * len(decoder)
    assert [variant.phases for variant in looped().variants] == [(), ("loop",)]


def test_repeats_skips_and_lanes_are_counted():
    before, after = looped().variants
    assert [step.time for step in after.steps] == [1, 1, 1, 1, 2, 2, 1, 1]
    assert [step.skip for step in after.steps] == [None, None, None, None, 3, 2, 1, 0]
    assert [step.lanes for step in after.steps] == [(1, 1)] * 6 + [(1, 2), (2, 2)]
    assert {step.time for step in before.steps} == {1} and before.skips == 3 and after.skips == 4


def test_a_step_reads_its_layer_and_what_joins_there():
    _, after = looped().variants
    for step in after.steps:
        own = [name for name in step.reads if name.startswith("blocks.")]
        assert own and all(name.startswith(f"blocks.{step.layer}.") for name in own)
        assert ("skip_gates" in step.reads) == (step.skip is not None)
        assert ("parallel_post_lambdas" in step.reads) == (step.lanes[1] == 2)
    assert after.outside == ("tok_emb.weight",) and after.idle == ()


def test_elements_are_those_of_the_model():
    made = built()
    assert sum(plain().sizes.values()) == sum(tensor.numel() for tensor in made.model.parameters())
    assert plain().compiled == 3


def test_tensors_that_nothing_reads_are_named():
    """A skip has no row in a decoder step without one, and two lanes leave a mix of the first lane alone."""
    (variant,) = trace_plan("lanes", resolved("two_lanes", parallel_start_layer=3)).variants
    read = {name for step in variant.steps for name in step.reads} | set(variant.outside)
    assert set(variant.idle) == set(trace_plan("again", resolved("two_lanes", parallel_start_layer=3)).sizes) - read


def test_the_walk_is_as_before_afterwards():
    import pgolf_plugins.architecture.two_lanes as module

    looped()
    assert module.walk_plan is wiring.walk_plan


def test_a_wiring_that_walks_by_itself_has_no_lanes(tmp_path, monkeypatch):
    import pgolf_plugins.architecture.sequential_wiring as module

    def by_itself(model, lanes, x0, ctx, block, join):
        return wiring.walk_plan(model, lanes, x0, ctx, block, join)

    monkeypatch.setattr(module, "own_walk", by_itself, raising=False)
    monkeypatch.setattr(
        module,
        "sequential_wiring",
        lambda model, x, x0, ctx: by_itself(model, (x,), x0, ctx, module.sequential_block, module.join_first_lane)[0],
    )
    module.sequential_wiring.__qualname__ = "sequential_wiring"
    module.sequential_wiring.__module__ = module.__name__
    (variant,) = trace_plan("own", resolved()).variants
    assert [step.lanes for step in variant.steps] == [(0, 0)] * 4
    assert all(name.startswith(f"blocks.{step.layer}.") for step in variant.steps for name in step.reads)


@pytest.mark.parametrize(
    "names", [("mtp",), ("document_packing_loader",), ("swa",), ("phased_ttt", "smear_gate_v3"), ("soft_round",)]
)
def test_other_recipes_can_be_traced(names):
    sizes = {"swa_window": 4, "swa_full_attn_layers": 2} if "swa" in names else {}
    assert all(variant.steps for variant in trace_plan("other", resolved(*names, **sizes)).variants)
