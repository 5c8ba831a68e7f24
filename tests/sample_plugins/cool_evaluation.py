"""Sample plugin for tests: an evaluation that learns one bias of the logits, score first, plus a distribution transform.

    delta = bias;   bias <- bias - 0.1 d/dbias mean nll, after each batch of 8 windows

Source: pgolf's tests.
"""

import torch

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.evaluate import chunk_spans, span_rows

PLUGIN = Plugin(
    name="cool_evaluation",
    summary="Learns a bias of the head from what is scored.",
    source="pgolf tests",
    family="eval",
)


class LearnedBias:
    """An adapter with one number per token of the vocabulary."""

    def __init__(self, vocab_size):
        self.sites = frozenset(["head"])
        self.bias = torch.zeros(vocab_size, requires_grad=True)

    def delta(self, x, site, position):
        return self.bias.expand(*x.shape[:2], -1)


class CoolEvaluation:
    """Batches of windows; every rank learns from its own."""

    name = "cool_evaluation"
    label = "cool"

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, session, tally):
        adapter = LearnedBias(session.settings.vocab_size)
        spans = chunk_spans(len(session.tokens), session.seq_len)
        for batch in session.share_work(-(-len(spans) // 8)):
            places, mask = span_rows(spans[8 * batch : 8 * batch + 8], 8, session.seq_len)
            scored = tally.score(places, mask, adapter)
            tally.learn(scored, mask / mask.sum())
            with torch.no_grad():
                adapter.bias -= self.rate * adapter.bias.grad
            adapter.bias.grad = None
            session.ledger.count("cool_evaluation", "updates")


def cool_logits(model, logits, ids, ctx):
    """A temperature of two."""
    ctx.fired("cool_evaluation", "transforms")
    return logits / 2


@hookimpl
def evaluation(settings):
    return Component(CoolEvaluation, rate=0.1)


@hookimpl
def distribution_transforms(settings):
    return Component(cool_logits)
