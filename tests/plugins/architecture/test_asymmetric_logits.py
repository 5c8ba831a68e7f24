"""Learned factors by the sign of a logit."""

import torch
from models import built, scramble, tokens

from pgolf.testing.models import tiny_context


def test_factors_by_sign_follow_the_cap_and_start_without_effect():
    made, plain = built("asymmetric_logits"), built()
    assert torch.equal(made.model(*tokens()), plain.model(*tokens()))
    model, (cap, scale) = scramble(made.model), made.program.logit_taps
    with torch.no_grad():
        model.logit_sign_scale.copy_(torch.tensor([2.0, 3.0]))
    z = torch.tensor([[[-1.0, 0.0, 4.0]]])
    assert scale(model, z, tiny_context(model)).tolist() == [[[-3.0, 0.0, 8.0]]]
    assert cap.func.__name__ == "tanh_softcap"
