"""Logits through a sigmoid."""

import pytest
import torch
from models import resolved

from pgolf.errors import PgolfError
from pgolf.testing.models import tiny_context
from pgolf_plugins.architecture.sigmoid_rescale import SigmoidRescale


def test_the_sigmoid_is_a_tanh_around_half_the_scale():
    z = torch.linspace(-80, 80, 161)
    out = SigmoidRescale(23.0, 5.0, 7.5)(None, z, tiny_context())
    torch.testing.assert_close(out, 11.5 * (1 + torch.tanh((z + 5) / 15)), rtol=1e-5, atol=2e-5)
    assert out[75] == 11.5 and out.min() >= 0 and out.max() <= 23


@pytest.mark.parametrize("setting", ["sigmoid_logit_scale", "sigmoid_logit_width"])
def test_zero_is_refused(setting):
    with pytest.raises(PgolfError, match=f"{setting} is 0.0, wanted more than 0"):
        resolved("sigmoid_rescale", **{setting: 0})
