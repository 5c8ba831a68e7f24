"""The attention core of the baseline, with gradients, against the public script's numbers."""

import pytest
import torch
from models import Case, built

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context

CASES = [
    ("baseline_d32_h4_kv2", {"model_dim": 32, "num_heads": 4, "num_kv_heads": 2}),
    ("baseline_d24_h2_kv2", {"model_dim": 24, "num_heads": 2, "num_kv_heads": 2}),
    ("baseline_d64_h8_kv4", {"model_dim": 64, "num_heads": 8, "num_kv_heads": 4}),
    ("baseline_d16_h4_kv1", {"model_dim": 16, "num_heads": 4, "num_kv_heads": 1}),
]


@pytest.mark.parametrize(("name", "settings"), CASES, ids=[case[0] for case in CASES])
def test_attention_core_matches_the_public_script(name, settings):
    case = Case("unit_attention", name)
    model = built(num_layers=2, **settings).model
    own = {key: value.float() for key, value in case.params.items()}
    model.blocks[0].attn.load_state_dict(own, strict=True)
    x = case.inputs["x"].float().requires_grad_()
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    y = attention_branch(model, x, 0, 0, ctx)
    (y * case.inputs["w"]).sum().backward()
    case.check("y", y.detach())
    case.check("grad_x", x.grad)
    for key, tensor in model.blocks[0].attn.named_parameters():
        case.check(f"grad_{key}", tensor.grad)


@pytest.mark.parametrize("window", [1, 4, 11])
def test_window_sees_itself_and_w_keys_before(window):
    made = built("swa", num_layers=2, swa_window=window, swa_full_attn_layers=0)
    q, k, v = torch.randn(3, 1, 12, 2, 8).unbind(0)
    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    found = made.program.attention_kernel(made.model, q, k, v, 0, 0, ctx)
    for t in range(12):
        first = max(t - window, 0)
        scores = torch.einsum("bhc,bshc->bhs", q[:, t], k[:, first : t + 1]) / 8**0.5
        want = torch.einsum("bhs,bshc->bhc", scores.softmax(-1), v[:, first : t + 1])
        torch.testing.assert_close(found[:, t], want)
