"""Losses weighted by bytes."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from models import built, registry, resolved, tokens

from pgolf.errors import PgolfError
from pgolf.testing.models import tiny_context


def test_losses_are_weighted_by_bytes_in_training_alone():
    component = built("byte_weighted_loss").program.loss
    sizes = torch.arange(256) % 5
    counter = SimpleNamespace(count=lambda ids, targets, places: sizes[targets])
    session = SimpleNamespace(
        settings=SimpleNamespace(vocab_size=256),
        world=SimpleNamespace(device="cpu"),
        program=SimpleNamespace(byte_counter=counter),
    )
    logits, targets = torch.randn(2, 8, 256), tokens(2, 8)[1]
    each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    torch.testing.assert_close(component(None, logits, targets, "mean", tiny_context()), each.mean())
    assert component.prepare(session).startswith("1.99 bytes")
    weights = sizes[targets.flatten()]
    torch.testing.assert_close(
        component(None, logits, targets, "mean", tiny_context()), (each * weights).sum() / weights.sum()
    )
    scored = component(None, logits, targets, "none", tiny_context(training=False))
    torch.testing.assert_close(scored.flatten(), each)
    torch.testing.assert_close(component(None, logits, targets, "mean", tiny_context(training=False)), each.mean())


def test_weights_by_bytes_need_counts_of_training_targets():
    with pytest.raises(PgolfError, match="side files count validation bytes alone"):
        resolved("byte_weighted_loss", "caseops")
    assert "harmful" in registry().get("byte_weighted_loss").plugin.effect
