"""Losses of targets further ahead, within documents."""

import pytest
import torch
from models import built, scramble, tokens

from pgolf.testing.models import tiny_context


@pytest.mark.parametrize("name", ["mtp", "mtp_tied"])
def test_targets_of_a_later_document_do_not_count(name):
    """A row of two documents: the extra loss is the mean over both, as if each stood alone."""
    made = built(name)
    model = scramble(made.model)
    (extra,) = made.program.auxiliary_losses
    x, (ids, targets) = torch.randn(1, 24, 64), tokens(1, 24)
    ids[0, 10] = 1
    logits = made.program.head(model, x, tiny_context(model))
    fields = {"documents": (ids == 1).cumsum(1)}
    packed = extra(model, x, logits, targets, tiny_context(model, ids, fields=fields))
    parts = [
        extra(model, x[:, part], logits[:, part], targets[:, part], tiny_context(model))
        for part in (slice(0, 10), slice(10, 24))
    ]
    torch.testing.assert_close(packed, (9 * parts[0] + 13 * parts[1]) / 22, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(packed, extra(model, x, logits, targets, tiny_context(model)), rtol=1e-4)
