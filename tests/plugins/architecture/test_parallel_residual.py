"""From one layer on, attention and MLP read one input and are added together."""

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.runtime.wiring import branch_input, residual_mix, scaled_attention, scaled_mlp
from pgolf.testing import Ledger, make_model, resolve_tiny, scramble, tiny_context, tiny_tokens


def parallel(start=2):
    return scramble(make_model("parallel_residual", parallel_residual_start=start).model).eval()


def test_a_block_by_its_formula():
    model, ledger = parallel(), Ledger()
    ctx = tiny_context(model, ledger=ledger)
    x, x0 = torch.randn(2, 5, 64), torch.randn(2, 5, 64)
    (found,) = model.program.wiring.run_block(model, (x,), x0, 2, 2, ctx)
    u = residual_mix(model, x, x0, 2, ctx)
    n = branch_input(model, u, 2, 2, ctx)
    torch.testing.assert_close(found, u + scaled_attention(model, n, 2, 2, ctx) + scaled_mlp(model, n, 2, 2, ctx))
    assert ledger.receipt("parallel_residual") == "1 parallel blocks"


def test_before_its_layer_a_block_is_sequential():
    ids, targets = tiny_tokens()
    ledger = Ledger()
    plain = scramble(make_model().model).eval()
    loss = parallel(3)(ids, targets, ledger=ledger)
    assert ledger.receipt("parallel_residual") == "1 parallel blocks" and loss != plain(ids, targets)


def test_without_an_mlp_both_orders_are_one():
    ids, targets = tiny_tokens()
    models = [parallel(0), scramble(make_model().model).eval()]
    for model in models:
        with torch.no_grad():
            for layer in range(4):
                model.matrices()[f"blocks.{layer}.mlp_scale"].zero_()
    torch.testing.assert_close(models[0](ids, targets), models[1](ids, targets))


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(PgolfError, match="at most 3, the last layer"):
        resolve_tiny("parallel_residual", parallel_residual_start=4)
