"""Blocks of the wirings against the public script, and the order in which a plan is walked."""

import pytest
import torch
from models import Case, built

from pgolf.runtime.context import Context
from pgolf.runtime.wiring import join_first_lane, sequential_block, walk_plan


@pytest.mark.parametrize("layer", [0, 3, 6])
@pytest.mark.parametrize("parallel", [0, 1])
def test_a_block_matches_the_public_script(layer, parallel):
    case = Case("unit_mlp_block", f"block_layer{layer}_parallel{parallel}")
    wiring = ("parallel_residual",) if parallel else ()
    start = {"parallel_residual_start": layer} if parallel else {}
    made = built("ln_scale", "leaky_relu2", *wiring, num_layers=7, model_dim=24, **start)
    model = made.model
    model.blocks[layer].load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    x, x0 = (case.inputs[name].requires_grad_() for name in ("x", "x0"))
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    block = made.program.wiring.run_block if parallel else sequential_block
    (y,) = block(model, (x,), x0, layer, layer, ctx)
    (y * case.inputs["w"]).sum().backward()
    case.check("y", y.detach())
    case.check("grad_x", x.grad)
    case.check("grad_x0", x0.grad)


def walk(plan, block, join=join_first_lane, rows=None):
    """Walk a plan whose skips are noted as (index, value) and multiply the stream by 1."""
    notes = []

    class Program:
        skip_rows = rows

        @staticmethod
        def skip(model, x, skip, index, ctx):
            notes.append((index, skip))
            return x

        @staticmethod
        def layer_plan(phases):
            return plan

    Program.layer_plan.name = "plan"

    class Model:
        program = Program

        class settings:
            num_layers = 3

    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    return walk_plan(Model, (100,), 0, ctx, block, join), notes


def test_skips_return_last_first_and_later_decoder_steps_have_none():
    steps = []

    def block(model, lanes, x0, layer, position, ctx):
        steps.append((layer, position))
        return (lanes[0] + 1,)

    lanes, notes = walk(((0, 1), (1, 0, 2)), block)
    assert steps == [(0, 0), (1, 1), (1, 2), (0, 3), (2, 4)] and lanes == (105,)
    assert notes == [(0, 102), (1, 101)]


def test_blocks_may_change_the_number_of_lanes_and_joins_see_steps_without_a_skip():
    seen = []

    def block(model, lanes, x0, layer, position, ctx):
        return (*lanes, position) if position == 1 else lanes

    def join(model, lanes, skip, index, layer, ctx):
        seen.append((skip, index, layer, lanes))
        return lanes

    lanes, _ = walk(((0,), (1, 2)), block, join)
    assert lanes == (100, 1)
    assert seen == [(100, 0, 1, (100,)), (None, 1, 2, (100, 1))]


@torch.no_grad()
def test_the_first_lane_alone_takes_the_skip():
    made = built()
    ctx = Context(None, (), True, made.model.matrices(), {}, {}, None, None, None)
    first, second, skip = torch.randn(3, 1, 2, 64)
    joined = join_first_lane(made.model, (first, second), skip, 0, 2, ctx)
    assert torch.equal(joined[0], first + skip) and joined[1] is second
    assert join_first_lane(made.model, (first, second), None, 0, 2, ctx) == (first, second)
