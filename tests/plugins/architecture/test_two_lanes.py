"""Two lanes: one block and its gradients against the public script, and when the lanes are made."""

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger

UNIT = ("banks", "leaky_relu2", "ln_scale", "partial_rope", "two_lanes", "xsa", "sparse_attention_gate")


def test_one_block_matches_the_public_script():
    case = Case("unit_mlp_block", "two_lane_v2_layer2")
    made = built(*UNIT, num_layers=3, model_dim=32, rope_dims=8, parallel_start_layer=2)
    stored = {key: value.float() for key, value in case.params.items()}
    unused = made.model.load_state_dict(stored, strict=False)
    assert not unused.unexpected_keys
    lanes = [case.inputs[name].requires_grad_() for name in ("lane0", "lane1")]
    x0 = case.inputs["x0"].requires_grad_()
    ctx = Context(None, (), True, made.model.matrices(), {}, {}, None, None, None)
    found = made.program.wiring.run_block(made.model, tuple(lanes), x0, 2, 2, ctx)
    sum((lane * case.inputs[name]).sum() for lane, name in zip(found, ("w0", "w1"), strict=True)).backward()
    for name, lane, start in zip(("lane0", "lane1"), found, lanes, strict=True):
        case.check(name, lane.detach())
        case.check(f"grad_{name}", start.grad)
    case.check("grad_x0", x0.grad)


class Walk:
    """A model whose blocks only note how many lanes they get, and whose skips add 10 (the first), 20, ... to a lane."""

    def __init__(self, start, **settings):
        self.made = built("two_lanes", "layer_loop", parallel_start_layer=start, **settings)
        self.seen = []

    def run(self, phases=()):
        wiring, model = self.made.program.wiring, self.made.model
        skips = iter(range(10, 100, 10))
        join = lambda owner, x, skip, index, ctx: x + next(skips)  # noqa: E731
        object.__setattr__(model, "program", model.program._replace(skip=join))
        wiring.run_block = lambda owner, lanes, x0, layer, position, ctx: self.block(lanes, layer)
        ctx = Context(None, phases, True, {}, {}, {}, None, None, None)
        return wiring(model, torch.zeros(1), torch.zeros(1), ctx).item()

    def block(self, lanes, layer):
        self.seen.append((layer, [lane.item() for lane in lanes]))
        return lanes


@pytest.mark.parametrize(("final", "want"), [("mean", 20.0), ("attn", 30.0), ("mlp", 10.0)])
def test_the_fork_comes_before_the_skip_of_its_step_which_joins_the_first_lane_alone(final, want):
    walk = Walk(3, loop_start=1, loop_end=2, num_loops=1, parallel_final_lane=final)
    assert walk.run() == want
    assert walk.seen == [(0, [0]), (1, [0]), (2, [10]), (3, [30, 10])]


@pytest.mark.parametrize("final", ["mean", "attn", "mlp"])
def test_a_start_inside_the_loop_forks_once(final):
    """Order 0 1 2 1 2 | 1 2 3 4 5 with layers 1 and 2 three times: layer 2 forks, and later passes keep the lanes."""
    walk = Walk(2, num_layers=6, loop_start=1, loop_end=2, num_loops=2, parallel_final_lane=final)
    walk.run(("loop",))
    assert [layer for layer, _ in walk.seen] == [0, 1, 2, 1, 2, 1, 2, 3, 4, 5]
    assert [len(lanes) for _, lanes in walk.seen] == [1] * 6 + [2] * 4
    assert walk.seen[6:] == [(2, [30, 10]), (3, [60, 10]), (4, [100, 10]), (5, [150, 10])]


def test_a_pass_that_returns_to_a_layer_before_the_start_keeps_both_lanes():
    """Order 0 1 2 1 | 2 1 2 3: two decoder steps of layer 2, with layer 1 between them."""
    walk = Walk(2, loop_start=1, loop_end=2, num_loops=2)
    walk.run(("loop",))
    assert [layer for layer, _ in walk.seen] == [0, 1, 2, 1, 2, 1, 2, 3]
    assert [lanes for _, lanes in walk.seen][4:] == [[10, 0], [30, 0], [60, 0], [100, 0]]


def test_equal_weights_and_the_mean_are_the_parallel_block():
    """With r = 1, p = 1 and one shared input, both lanes hold x + a + m when the lanes were equal and mix is (1, 0)."""
    two = built("two_lanes", num_layers=2, parallel_start_layer=1)
    one = built("parallel_residual", num_layers=2, parallel_residual_start=1)
    scramble(two.model)
    state = two.model.state_dict()
    for layer in range(2):
        state[f"blocks.{layer}.resid_mix"].copy_(torch.tensor([[1.0], [0.0]]).expand(2, 64))
    state["parallel_resid_lambdas"].fill_(1.0)
    state["parallel_post_lambdas"].fill_(1.0)
    state["skip_weights"].fill_(0.0)
    one.model.load_state_dict({key: value for key, value in state.items() if not key.startswith("parallel")})
    ids, targets = tokens()
    torch.testing.assert_close(
        two.model(ids, targets, reduction="none"), one.model(ids, targets, reduction="none"), rtol=1e-4, atol=1e-4
    )


def test_the_receipt_counts_steps_on_two_lanes():
    made = built("two_lanes", "layer_loop", parallel_start_layer=2, loop_start=1, loop_end=2, num_loops=1)
    ledger, (ids, targets) = Ledger(), tokens()
    made.model(ids, targets, phases=("loop",), ledger=ledger)
    assert ledger.receipt("two_lanes") == "2 steps on two lanes"


def test_a_start_past_the_last_layer_is_refused():
    with pytest.raises(PgolfError, match="parallel_start_layer is 4, wanted at most 3"):
        resolved("two_lanes", parallel_start_layer=4)
    with pytest.raises(PgolfError, match="wanted at least 1"):
        resolved("two_lanes", parallel_start_layer=0)
    with pytest.raises(PgolfError, match="wanted one of mean, attn, mlp"):
        resolved("two_lanes", parallel_final_lane="both")
