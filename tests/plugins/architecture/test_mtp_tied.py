"""The main head asked for later tokens."""

import torch
import torch.nn.functional as F
from models import built, tokens

from pgolf.testing.models import tiny_context


def test_the_tied_form_is_the_mean_over_later_targets():
    made = built("mtp_tied", mtp_steps=3, mtp_weight=0.5)
    logits, targets = torch.randn(2, 9, 256), tokens(2, 9)[1]
    found = made.program.auxiliary_losses[0](made.model, logits, logits, targets, tiny_context(made.model))
    means = [
        torch.stack([F.cross_entropy(logits[b, t], targets[b, t + k]) for b in range(2) for t in range(9 - k)]).mean()
        for k in (1, 2, 3)
    ]
    torch.testing.assert_close(found, 0.5 * torch.stack(means).mean())
