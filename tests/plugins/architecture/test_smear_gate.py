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
