"""The cap by a polynomial."""

import pytest
import torch
from models import Case, resolved

from pgolf.errors import PgolfError
from pgolf.testing.models import tiny_context
from pgolf_plugins.architecture.poly_softcap import poly_softcap


@pytest.mark.parametrize("cap", [10, 15])
def test_the_polynomial_matches_the_public_script(cap):
    case = Case("unit_loss", f"poly5_C{cap}")
    z = case.inputs["z"].requires_grad_()
    out = poly_softcap(None, z, tiny_context(), cap=float(cap))
    out.sum().backward()
    case.check("out", out.detach())
    case.check("grad", z.grad)


def test_the_polynomial_is_odd_grows_and_ends_at_the_cap():
    z = torch.linspace(-40, 40, 4001)
    out = poly_softcap(None, z, tiny_context(), cap=10.0)
    assert (out.diff() >= 0).all() and out.abs().max() == 10
    torch.testing.assert_close(out, -out.flip(0))
    assert (out[z > 17] == 10).all() and (out[(z > 0) & (z < 16.8)] < 10).all()


def test_a_cap_of_zero_is_refused_and_its_default_is_its_own():
    with pytest.raises(PgolfError, match=r"logit_softcap is 0\.0, wanted more than 0"):
        resolved("poly_softcap", logit_softcap=0)
    selection = resolved("poly_softcap").selection
    assert selection.settings.logit_softcap == 10 and "tanh_softcap" not in selection.plugins
