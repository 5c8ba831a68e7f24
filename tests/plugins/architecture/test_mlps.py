"""The two MLP bodies against the public script, with gradients."""

import pytest
from models import Case, built

from pgolf.runtime.context import Context


@pytest.mark.parametrize(
    ("name", "up", "down"), [("relu2", "fc.weight", "proj.weight"), ("leaky_relu2", "up_w", "down_w")]
)
def test_the_body_matches_the_public_script(name, up, down):
    case = Case("unit_mlp_block", name)
    stored = {**case.inputs, **case.params}
    model = built(name, model_dim=24).model
    body = model.blocks[0].mlp
    body.load_state_dict({"fc.weight": stored[up].float(), "proj.weight": stored[down].float()}, strict=True)
    x = case.inputs["x"].requires_grad_()
    y = model.program.mlp(model, x, 0, 0, Context(None, (), True, model.matrices(), {}, {}, None, None, None))
    (y * case.inputs["w"]).sum().backward()
    case.check("y", y.detach())
    case.check("grad_x", x.grad)
    case.check(f"grad_{up}", body.fc.weight.grad)
    case.check(f"grad_{down}", body.proj.weight.grad)


class Through:
    """Matrices that are the identity."""

    @staticmethod
    def project(x, *place):
        return x


def test_the_activation_and_its_derivative_match_the_public_script_at_zero_too():
    case = Case("unit_mlp_block", "leaky_relu2_scalar")
    p = case.inputs["p"].requires_grad_()
    out = built("leaky_relu2").program.mlp(Through, p, 0, 0, Context(None, (), True, {}, {}, {}, None, None, None))
    out.sum().backward()
    case.check("act", out.detach())
    case.check("dact", p.grad)
