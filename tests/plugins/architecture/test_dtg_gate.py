"""The token gate: open it is the sequential block, shut it is the mixed stream; its start and its gradient."""

import pytest
import torch
from models import built, scramble, tokens

from pgolf.runtime.context import Context
from pgolf.runtime.wiring import residual_mix, sequential_block


@torch.no_grad()
def models():
    gated, plain = built("dtg_gate").model, built().model
    plain.load_state_dict({key: value for key, value in scramble(gated).state_dict().items() if "dtg" not in key})
    return gated, plain


@torch.no_grad()
def test_an_open_gate_is_the_sequential_block_and_a_shut_one_leaves_the_mix():
    gated, plain = models()
    ids, targets = tokens()
    for layer in range(4):
        gated.get_parameter(f"blocks.{layer}.dtg_gate.bias").fill_(40.0)
    torch.testing.assert_close(gated(ids, targets), plain(ids, targets))
    for layer in range(4):
        gated.get_parameter(f"blocks.{layer}.dtg_gate.bias").fill_(-200.0)
        for scale in ("attn_scale", "mlp_scale"):
            plain.get_parameter(f"blocks.{layer}.{scale}").zero_()
    torch.testing.assert_close(gated(ids, targets), plain(ids, targets))


def test_one_layer_by_hand_and_no_gradient_through_the_gate():
    gated, _ = models()
    x, x0 = torch.randn(2, 1, 6, 64, generator=torch.Generator().manual_seed(0)).requires_grad_().unbind(0)
    ctx = Context(None, (), True, gated.matrices(), {}, {}, None, None, None)
    object.__setattr__(gated, "program", gated.program._replace(layer_plan=lambda phases: ((), (1,))))
    gated.program.layer_plan.name = "plan"
    found = gated.program.wiring(gated, x, x0, ctx)
    u = residual_mix(gated, x, x0, 1, ctx)
    (z,) = sequential_block(gated, (x,), x0, 1, 0, ctx)
    gate = gated.blocks[1].dtg_gate
    g = 1 / (1 + (-(u.detach() @ gate.weight[0] + gate.bias)).exp())[..., None]
    want = u + g * (z - u)
    torch.testing.assert_close(found, want)
    for one, two in zip(
        *(torch.autograd.grad(y.square().sum(), (x, x0), retain_graph=True) for y in (found, want)), strict=True
    ):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-4)


def test_it_starts_mostly_open():
    gate = built("dtg_gate").model.blocks[0].dtg_gate
    assert torch.sigmoid(gate.bias).item() == pytest.approx(0.8808, abs=1e-4) and not gate.weight.any()
