"""The first smear gate against the public script, with gradients, and where documents begin."""

import pytest
import torch
from models import Case, built, resolved, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context


def context(model, **fields):
    return Context(None, (), True, model.matrices(), {}, fields, None, None, None)


def test_the_gate_matches_the_public_script():
    case = Case("unit_embedding", "smear_v1")
    model = built("smear_gate_v1", model_dim=16).model
    with torch.no_grad():
        model.smeargate.gate.copy_(case.params["gate"])
    x = case.inputs["x"].requires_grad_()
    (mix,) = model.program.stem_raw
    out = mix(model, x, None, context(model))
    (out * case.inputs["w"]).sum().backward()
    case.check("out", out.detach())
    case.check("grad_x", x.grad)
    case.check("grad_gate", model.smeargate.gate.grad)


@torch.no_grad()
def test_a_document_is_what_it_is_alone():
    model = built("smear_gate_v1").model
    (mix,) = model.program.stem_raw
    ids, _ = tokens(1, 12)
    ids[0, 5] = 1
    x = model.tok_emb.weight[ids]
    packed = mix(model, x, ids, context(model, starts=ids == 1))
    assert torch.equal(packed[:, 5:], mix(model, x[:, 5:], ids[:, 5:], context(model)))
    assert not torch.equal(packed, mix(model, x, ids, context(model)))


@torch.no_grad()
def test_it_starts_with_a_twentieth_of_the_token_before():
    model = built("smear_gate_v1").model
    (mix,) = model.program.stem_raw
    x = torch.randn(1, 4, 64)
    want = 0.952574 * x + 0.047426 * torch.cat((torch.zeros(1, 1, 64), x[:, :-1]), 1)
    torch.testing.assert_close(mix(model, x, None, context(model)), want, rtol=1e-5, atol=1e-5)


def test_one_gate_is_enough():
    for other in ("smear_gate", "smear_gate_v3"):
        with pytest.raises(PgolfError, match="both mix the previous position"):
            resolved("smear_gate_v1", other)
