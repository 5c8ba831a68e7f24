"""Test-time training: a bias for every token of the vocabulary, learned from the first half of each window for the second."""

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.evaluate import chunk_spans, span_rows

PLUGIN = Plugin(
    name="example_evaluation",
    summary="A bias of the logits, learned within each window.",
    source="pgolf's documentation",
    family="eval",
    settings=(Setting("example_evaluation_rate", 1.0, "learning rate of the bias", minimum=0.0),),
)


class Bias:
    """An adapter: `delta` is added to the output of every site that it names."""

    def __init__(self, vocab_size, device):
        self.sites = frozenset(["head"])
        self.bias = torch.zeros(vocab_size, device=device, requires_grad=True)

    def delta(self, x, site, position):
        return self.bias.to(x.dtype).expand(*x.shape[:2], -1)


class FirstHalf:
    """Windows do not know of each other: scores do not depend on which rank has which."""

    name = "example_evaluation"
    label = "first_half"

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, session, tally):
        """Score, learn from what is scored, score the rest; `share_work` hands windows to whichever rank is free."""
        spans, length = chunk_spans(len(session.tokens), session.seq_len), session.seq_len
        for number in session.share_work(len(spans)):
            adapter = Bias(session.settings.vocab_size, session.world.device)
            places, targets = span_rows([spans[number]], 1, length)
            half = length // 2
            scored = tally.score(places[:, : half + 1], targets[:, :half], adapter)
            tally.learn(scored, targets[:, :half] / half)
            with torch.no_grad():
                adapter.bias -= self.rate * adapter.bias.grad
                targets[:, :half] = False  # context from here on
                tally.score(places, targets, adapter)
            session.ledger.count("example_evaluation", "updates")


@hookimpl
def evaluation(settings) -> Component:
    """In place of a walk over windows, for the final score."""
    return Component(FirstHalf, rate=settings.example_evaluation_rate)
