"""The second smear gate against the public script, with gradients."""

import torch
from models import Case, built

from pgolf.runtime.context import Context


def test_the_gate_matches_the_public_script():
    case = Case("unit_embedding", "smear_v2")
    model = built("smear_gate", model_dim=16).model
    with torch.no_grad():
        model.smear.gate.copy_(case.params["gate"])
    x = case.inputs["x"].requires_grad_()
    (mix,) = model.program.stem_normed
    out = mix(model, x, None, Context(None, (), True, model.matrices(), {}, {}, None, None, None))
    (out * case.inputs["w"]).sum().backward()
    case.check("out", out.detach())
    case.check("grad_x", x.grad)
    case.check("grad_gate", model.smear.gate.grad)


@torch.no_grad()
def test_a_document_is_what_it_is_alone_where_starts_are_marked():
    model = built("smear_gate").model
    (mix,) = model.program.stem_normed
    x, starts = torch.randn(1, 12, 64), torch.zeros(1, 12, dtype=torch.bool)
    starts[0, 5] = True
    plain = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    packed = mix(model, x, None, plain._replace(fields={"starts": starts}))
    assert torch.equal(packed[:, 5:], mix(model, x[:, 5:], None, plain))
    assert not torch.equal(packed, mix(model, x, None, plain))
