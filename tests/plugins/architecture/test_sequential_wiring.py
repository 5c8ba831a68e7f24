"""Attention, then the MLP on what attention left, layer by layer, with skips in the second half."""

import torch

from pgolf.runtime.layers import rms_norm
from pgolf.runtime.wiring import scaled_attention, scaled_mlp
from pgolf.testing import Ledger, make_model, scramble, tiny_context


def test_the_whole_plan_written_out():
    model, ledger = scramble(make_model().model).eval(), Ledger()
    ctx, weights = tiny_context(model, ledger=ledger), model.matrices()
    x = x0 = torch.randn(2, 5, 64)
    found = model.program.wiring(model, x, x0, ctx)
    skips = []
    for layer in range(4):
        if layer >= 2:
            x = x + weights["skip_weights"][layer - 2] * skips.pop()
        mix = weights[f"blocks.{layer}.resid_mix"]
        x = mix[0] * x + mix[1] * x0
        x = x + scaled_attention(model, rms_norm(x), layer, layer, ctx)
        x = x + scaled_mlp(model, rms_norm(x), layer, layer, ctx)
        if layer < 2:
            skips.append(x)
    torch.testing.assert_close(found, x)
    assert ledger.receipt("sequential_wiring") == "1 walks" and ledger.receipt("unet_plan") == "4 steps over 4 layers"


def test_a_fresh_model_hands_its_input_on():
    """Output projections of zero make every block the identity; skips then add the input to itself."""
    model = make_model().model
    x = torch.randn(1, 3, 64)
    found = model.program.wiring(model, x, x, tiny_context(model))
    torch.testing.assert_close(found, 3 * x)
