"""What a block reads and how much it adds, per channel; neutral at the start."""

import torch

from pgolf.runtime.wiring import residual_mix, scaled_mlp
from pgolf.testing import Ledger, make_model, scramble, tiny_context
from pgolf_plugins.architecture.residual_scales import first_row_one


def test_the_start_lets_everything_through():
    weights = make_model().model.matrices()
    for layer in range(4):
        assert (
            weights[f"blocks.{layer}.attn_scale"].tolist()
            == weights[f"blocks.{layer}.mlp_scale"].tolist()
            == [1.0] * 64
        )
        assert weights[f"blocks.{layer}.resid_mix"].tolist() == [[1.0] * 64, [0.0] * 64]
    tensor = torch.randn(2, 3)
    first_row_one(tensor, torch.Generator(), Ledger())
    assert tensor.tolist() == [[1.0] * 3, [0.0] * 3]


def test_all_are_control_tensors_in_float32():
    records = [record for record in make_model().parameters if record.name.endswith(("_scale", "_mix"))]
    kinds = {(record.quant, record.group, record.dtype) for record in records}
    assert len(records) == 3 and kinds == {("control", "scalar", "float32")}


def test_they_scale_each_channel():
    model = scramble(make_model().model)
    ctx, weights = tiny_context(model), model.matrices()
    x, x0 = torch.randn(2, 3, 64), torch.randn(2, 3, 64)
    mix, scale = weights["blocks.1.resid_mix"], weights["blocks.1.mlp_scale"]
    mixed, added = residual_mix(model, x, x0, 1, ctx), scaled_mlp(model, x, 1, 1, ctx)
    body = model.program.mlp(model, x, 1, 1, ctx)
    for channel in (0, 5, 63):
        torch.testing.assert_close(
            mixed[..., channel], mix[0, channel] * x[..., channel] + mix[1, channel] * x0[..., channel]
        )
        torch.testing.assert_close(added[..., channel], scale[channel] * body[..., channel])
