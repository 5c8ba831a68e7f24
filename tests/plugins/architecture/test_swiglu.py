"""SwiGLU by hand, its matrix in place of the layout's, in both layouts and for calibration."""

import pytest
import torch
from models import built, tokens

from pgolf.runtime.context import Context


def test_the_body_by_hand_with_gradients():
    model = built("swiglu").model
    generator = torch.Generator().manual_seed(0)
    up, down = model.blocks[1].mlp.gate_up.weight, model.blocks[1].mlp.proj.weight
    with torch.no_grad():
        down.normal_(generator=generator)
    x = torch.randn(2, 5, 64, generator=generator).requires_grad_()
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    y = model.program.mlp(model, x, 1, 1, ctx)
    want = torch.zeros(2, 5, 64)
    for unit in range(128):
        gate, value = x @ up[unit], x @ up[128 + unit]
        want = want + (gate * torch.sigmoid(gate) * value)[..., None] * down[:, unit]
    torch.testing.assert_close(y, want, rtol=1e-4, atol=1e-4)
    assert all(part.any() for part in torch.autograd.grad(y.square().sum(), (x, up, down)))


@pytest.mark.parametrize("layout", [(), ("banks",)])
def test_the_layout_leaves_its_own_matrix_out_and_calibration_sees_the_other(layout):
    made, seen = built("swiglu", *layout), set()
    names = set(made.model.matrices())
    assert "blocks.3.mlp.gate_up.weight" in names and "blocks.3.mlp.fc.weight" not in names
    assert made.model.get_parameter("blocks.0.mlp.gate_up.weight").shape == (256, 64)
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.add((role, layer)))
    assert ("mlp.gate_up", 3) in seen and ("mlp.fc", 3) not in seen
