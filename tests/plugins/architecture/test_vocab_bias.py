"""The bias of the vocabulary."""

import torch
from models import built, tokens

from pgolf.testing.models import tiny_context


def test_it_comes_before_the_cap_and_starts_without_effect():
    made = built("vocab_bias", logit_softcap=2)
    assert torch.equal(made.model(*tokens()), built(logit_softcap=2).model(*tokens()))
    with torch.no_grad():
        made.model.vocab_bias[:2] = torch.tensor([-1e6, 0.5])
    logits, ctx = torch.zeros(1, 1, 256), tiny_context(made.model)
    for tap in made.program.logit_taps:
        logits = tap(made.model, logits, ctx)
    torch.testing.assert_close(logits[0, 0, :3].detach(), torch.tensor([-2.0, 2 * torch.tensor(0.25).tanh(), 0.0]))
