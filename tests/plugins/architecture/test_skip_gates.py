"""Gated and additive skips against the public script."""

import pytest
import torch
from models import Case, built

from pgolf.runtime.context import Context


@pytest.mark.parametrize(("plugin", "output"), [("skip_gates", "out"), ("additive_skips", "out_plain")])
def test_a_skip_matches_the_public_script(plugin, output):
    case = Case("unit_mlp_block", "skip_gated")
    made = built(plugin, model_dim=24)
    weights = {
        "skip_weights": torch.stack([torch.zeros(24), case.inputs["weight"]]),
        "skip_gates": torch.stack([torch.zeros(24), case.inputs["gate"]]),
    }
    ctx = Context(None, (), True, weights, {}, {}, None, None, None)
    case.check(output, made.program.skip(made.model, case.inputs["x"], case.inputs["skip"], 1, ctx))


def test_gates_start_half_open_and_rows_are_those_of_the_longest_plan():
    model = built("skip_gates", "layer_loop", num_loops=2, loop_start=1, loop_end=2).model
    assert model.skip_weights.shape == model.skip_gates.shape == (4, 64)
    assert model.skip_weights.eq(1).all() and model.skip_gates.eq(0).all()
