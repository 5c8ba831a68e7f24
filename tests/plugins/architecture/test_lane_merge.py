"""Lanes with a scalar merge: whole models of the public script, and when the fork and the skips come."""

import math

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger

PLUGINS = ("lane_merge", "layer_loop", "leaky_relu2", "ln_scale", "partial_rope", "skip_gates", "xsa")
SIZES = {"num_layers": 6, "rope_dims": 8, "num_loops": 2, "loop_start": 2, "loop_end": 3, "parallel_start_layer": 4}


@pytest.mark.parametrize("loop", ["noloop", "loop"])
def test_a_whole_model_matches_the_public_script(loop):
    case = Case("model_pr1477_lane_merge", f"pr1477_{loop}")
    made = built(*PLUGINS, **SIZES, qk_gain_init=4.0)
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    phases = ("loop",) if loop == "loop" else ()
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    mean = made.model(ids, targets, phases=phases)
    mean.backward()
    case.check("mean_loss", mean.detach())
    case.check("per_token_loss", made.model(ids, targets, phases=phases, reduction="none").detach())
    tensors = dict(made.model.named_parameters())
    for key, wanted in zip(case.record["grad_norm_names"], case.outputs["grad_norm"].tolist(), strict=True):
        gradient = tensors[key].grad
        found = 0.0 if gradient is None else gradient.norm().item()
        assert math.isclose(found, 0.0 if math.isnan(wanted) else wanted, rel_tol=5e-4, abs_tol=1e-6), key


@torch.no_grad()
def test_the_fork_comes_after_the_skip_of_its_step_and_later_skips_join_the_first_lane():
    """Blocks that do nothing and skips that add 10 and 20: both lanes hold the first skip, one the second."""
    made = built("lane_merge", parallel_start_layer=2)
    skips = iter((10.0, 20.0))
    join = lambda owner, x, skip, index, ctx: x + next(skips)  # noqa: E731
    object.__setattr__(made.model, "program", made.program._replace(skip=join))
    made.program.wiring.run_block = lambda owner, lanes, x0, layer, position, ctx: lanes
    from pgolf.runtime.context import Context

    weights = {"lane_merge": torch.tensor(0.25)}
    ctx = Context(None, (), True, weights, {}, {}, None, None, None)
    assert made.program.wiring(made.model, torch.zeros(1), torch.zeros(1), ctx).item() == 0.25 * 30 + 0.75 * 10


@torch.no_grad()
def test_neither_lane_reads_the_other():
    """At share 1 the MLPs from the fork on have no say, at share 0 its attention has none."""
    model = scramble(built("lane_merge", parallel_start_layer=2).model)
    ids, targets = tokens()
    for share, idle in ((1.0, "mlp_scale"), (0.0, "attn_scale")):
        model.lane_merge.fill_(share)
        before = model(ids, targets)
        for layer in (2, 3):
            model.get_parameter(f"blocks.{layer}.{idle}").mul_(3.0)
        assert torch.equal(model(ids, targets), before)


def test_the_receipt_counts_steps_on_two_lanes_and_a_late_start_is_refused():
    made = built("lane_merge", parallel_start_layer=2)
    ledger, (ids, targets) = Ledger(), tokens()
    made.model(ids, targets, ledger=ledger)
    assert ledger.receipt("lane_merge") == "2 steps on two lanes"
    with pytest.raises(PgolfError, match="parallel_start_layer is 4, wanted at most 3"):
        resolved("lane_merge", parallel_start_layer=4)
