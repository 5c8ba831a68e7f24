"""Two lanes, first form: one block with its gradients and one skip against the public script, and equal lanes."""

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger

UNIT = ("banks", "leaky_relu2", "ln_scale", "partial_rope", "two_lanes_v1", "xsa")


def context(model):
    return Context(None, (), True, model.matrices(), {}, {}, None, None, None)


@pytest.mark.parametrize("layer", [1, 2])
def test_one_block_matches_the_public_script(layer):
    case = Case("unit_mlp_block", f"two_lane_v1_layer{layer}")
    made = built(*UNIT, num_layers=3, model_dim=32, rope_dims=8, parallel_start_layer=1)
    stored = {key: value.float() for key, value in case.params.items()}
    assert not made.model.load_state_dict(stored, strict=False).unexpected_keys
    lanes = [case.inputs[name].requires_grad_() for name in ("lane0", "lane1")]
    x0 = case.inputs["x0"].requires_grad_()
    found = made.program.wiring.run_block(made.model, tuple(lanes), x0, layer, layer, context(made.model))
    sum((lane * case.inputs[name]).sum() for lane, name in zip(found, ("w0", "w1"), strict=True)).backward()
    for name, lane, start in zip(("lane0", "lane1"), found, lanes, strict=True):
        case.check(name, lane.detach())
        case.check(f"grad_{name}", start.grad)
    case.check("grad_x0", x0.grad)


@torch.no_grad()
def test_a_skip_joins_both_lanes_as_in_the_public_script():
    case = Case("unit_mlp_block", "skip_parallel_v1")
    made = built("two_lanes_v1", "skip_gates", num_layers=3, model_dim=32, parallel_start_layer=1)
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=False)
    lanes = (case.inputs["lane0"], case.inputs["lane1"])
    found = made.program.wiring.fork(made.model, lanes, case.inputs["skip"], 0, 2, context(made.model))
    for name, lane in zip(("lane0", "lane1"), found, strict=True):
        case.check(name, lane)


@torch.no_grad()
def test_with_unit_weights_both_lanes_are_the_sequential_stream():
    """r = q = 1, p = 1 and no share of x0: each lane is u + a, then + m, as on one stream."""
    two, one = built("two_lanes_v1", parallel_start_layer=2).model, built().model
    state = scramble(two).state_dict()
    for layer in range(4):
        state[f"blocks.{layer}.resid_mix"].copy_(torch.tensor([[1.0], [0.0]]).expand(2, 64))
    state["parallel_resid_lambdas"].fill_(1.0)
    state["parallel_post_lambdas"].fill_(1.0)
    one.load_state_dict({key: value for key, value in state.items() if not key.startswith("parallel")})
    ids, targets = tokens()
    torch.testing.assert_close(two(ids, targets, reduction="none"), one(ids, targets, reduction="none"))


def test_a_loop_that_passes_the_start_again_forks_once():
    """Order 0 1 2 1 | 2 1 2 3 with start 2: the decoder's four steps have two lanes."""
    made = built("two_lanes_v1", "layer_loop", parallel_start_layer=2, loop_start=1, loop_end=2, num_loops=2)
    ledger, (ids, targets) = Ledger(), tokens()
    made.model(ids, targets, phases=("loop",), ledger=ledger)
    assert ledger.receipt("two_lanes_v1") == "4 steps on two lanes"


def test_its_start_is_a_gain_of_ten_percent_a_layer_and_a_late_one_is_refused():
    model = built("two_lanes_v1", parallel_start_layer=2).model
    torch.testing.assert_close(model.parallel_resid_lambdas.prod(1), torch.full((4,), 1.1))
    with pytest.raises(PgolfError, match="parallel_start_layer is 4, wanted at most 3"):
        resolved("two_lanes_v1", parallel_start_layer=4)
