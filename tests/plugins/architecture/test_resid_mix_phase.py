"""Starts of the residual mixes by depth, against values worked out beside it."""

import pytest
import torch
from models import built, resolved

from pgolf.errors import PgolfError


def test_the_share_of_the_stream_grows_with_depth():
    model = built("resid_mix_phase", num_layers=4).model
    shares = [0.18242552, 0.37754067, 0.62245933, 0.81757448]  # sigmoid of -1.5, -0.5, 0.5, 1.5
    for layer, share in enumerate(shares):
        mix = model.blocks[layer].resid_mix
        torch.testing.assert_close(mix[0], torch.full((64,), share))
        torch.testing.assert_close(mix[1], torch.full((64,), 1 - share))


def test_nothing_else_starts_otherwise():
    """Starts depend on seed and name alone, so an ablation differs in these tensors only."""
    with_phase, plain = built("resid_mix_phase").model.state_dict(), built().model.state_dict()
    assert {key for key in plain if not torch.equal(plain[key], with_phase[key])} == {
        f"blocks.{layer}.resid_mix" for layer in range(4)
    }


def test_one_layer_is_refused():
    with pytest.raises(PgolfError, match="num_layers is 1, wanted at least 2"):
        resolved("resid_mix_phase", num_layers=1)
