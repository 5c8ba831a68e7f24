"""XSA against the public script, with gradients, a value of zeros, and the layers that it acts on."""

import pytest
import torch
from gates import check_core
from models import Case, built

from pgolf.runtime.context import Context

PLAIN = Context(None, (), True, {}, {}, {}, None, None, None)


@pytest.mark.parametrize("name", ["xsa_h4_kv2_D8", "xsa_h8_kv2_D6", "xsa_h2_kv2_D16", "xsa_zero_value"])
def test_the_output_matches_the_public_script(name):
    case = Case("unit_attention", name)
    (change,) = built("xsa", xsa_last_n=1).program.attention_outputs
    y, v = case.inputs["y"].requires_grad_(), case.inputs["v"].requires_grad_()
    out = change(None, y, v, None, 3, 3, PLAIN)
    case.check("out", out.detach())
    if "w" in case.inputs:
        (out * case.inputs["w"]).sum().backward()
        for key in {"grad_y", "grad_v"} & set(case.outputs):
            case.check(key, {"grad_y": y, "grad_v": v}[key].grad)


@pytest.mark.parametrize("name", ["gate_none_xsa1_varlen0", "gate_none_xsa0_varlen0"])
def test_a_core_with_and_without_it_matches_the_public_script(name):
    check_core(name)


@torch.no_grad()
def test_nothing_of_the_own_value_is_left_and_doing_it_twice_changes_nothing():
    (change,) = built("xsa", xsa_last_n=1).program.attention_outputs
    y, v = torch.randn(1, 5, 4, 16), torch.randn(1, 5, 2, 16)
    out = change(None, y, v, None, 3, 3, PLAIN)
    torch.testing.assert_close((out * v.repeat_interleave(2, 2)).sum(-1), torch.zeros(1, 5, 4), atol=1e-4, rtol=0)
    torch.testing.assert_close(change(None, out, v, None, 3, 3, PLAIN), out)
    assert change(None, y, v, None, 2, 2, PLAIN) is y, "a layer before the last n"
