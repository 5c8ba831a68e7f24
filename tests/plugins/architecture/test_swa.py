"""Windowed attention against the public script, and which layers have a window."""

import pytest
import torch
from models import Case, built

from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger


@pytest.mark.parametrize(("window", "length"), [(4, 12), (1, 6), (2, 9), (12, 12)])
def test_attention_core_matches_the_public_script(window, length):
    case = Case("unit_attention_variants", f"window{window}_T{length}")
    made = built("swa", num_layers=2, model_dim=32, swa_window=window, swa_full_attn_layers=1)
    model = made.model
    names = (("q_w", "c_q"), ("k_w", "c_k"), ("v_w", "c_v"), ("o_w", "proj"))
    own = {f"{name}.weight": case.inputs[key] for key, name in names} | {"q_gain": case.params["q_gain"].float()}
    model.blocks[0].attn.load_state_dict(own, strict=True)
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    case.check("y", attention_branch(model, case.inputs["x"], 0, 0, ctx).detach())


def test_the_last_layers_see_everything_and_the_receipt_says_so():
    made = built("swa", num_layers=5, swa_window=4, swa_full_attn_layers=2)
    ledger, x = Ledger(), torch.randn(1, 9, 4, 16)
    kernel, plain = made.program.attention_kernel, built().program.attention_kernel
    ctx = Context(None, (), True, {}, {}, {}, None, None, ledger)
    kv = torch.randn(2, 1, 9, 2, 16).unbind(0)
    full = [torch.equal(kernel(None, x, *kv, layer, layer, ctx), plain(None, x, *kv, 0, 0, ctx)) for layer in range(5)]
    assert full == [False, False, False, True, True]
    assert ledger.receipt("swa") == "3 windowed layers, 2 full layers"
