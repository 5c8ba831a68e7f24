"""The tanh cap on the logits of every head."""

import math

import pytest
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError


@pytest.mark.parametrize("head", ["tied_head", "untied_head"])
def test_the_logits_of_either_head_are_capped(head):
    """A cap of 2 leaves each probability within exp(-4) and exp(4) of uniform."""
    model = scramble(built(head, logit_softcap=2).model).eval()
    losses = model(*tokens(), reduction="none")
    assert (losses - math.log(256)).abs().max() <= 4 < (losses.max() - losses.min()) * 2


def test_other_caps_take_its_place_and_factors_follow_it():
    for name, count in (("tanh_softcap", 1), ("poly_softcap", 1), ("sigmoid_rescale", 1), ("asymmetric_logits", 2)):
        assert len(built(name).program.logit_taps) == count


def test_a_cap_of_zero_is_refused():
    with pytest.raises(PgolfError, match=r"logit_softcap is 0\.0, wanted more than 0"):
        resolved(logit_softcap=0)
