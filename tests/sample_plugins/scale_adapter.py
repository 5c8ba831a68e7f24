"""Sample plugin for tests: an adapter that learns one bias per batch, score first, plus a distribution transform.

    delta = 0 until the first batch is scored, then 0.01 times the number of batches learned

Source: pgolf's tests.
"""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="scale_adapter",
    summary="Counts what it may learn from and perturbs the head.",
    source="pgolf tests",
    family="eval",
)


class ScaleAdapter:
    """Adds a growing constant to the head's output."""

    def __init__(self):
        self.sites = frozenset(("head",))

    def open(self, model):
        self.learned = 0
        self.rows = model.tok_emb.weight.shape[0]

    def delta(self, x, site, position):
        return x.new_full((self.rows,), 0.01 * self.learned) * torch.arange(self.rows).to(x.dtype) / self.rows

    def learn(self, nll, scored):
        assert nll.requires_grad and nll.shape == scored.shape
        self.learned += 1


def cool_logits(model, logits, ids, ctx):
    """A temperature of two."""
    ctx.fired("scale_adapter", "transforms")
    return logits / 2


@hookimpl
def adapter(settings):
    return Component(ScaleAdapter)


@hookimpl
def distribution_transforms(settings):
    return Component(cool_logits)
