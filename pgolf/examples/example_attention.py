"""softmax(q k^T / sqrt(C)) v, written out, with its mask made before training."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_attention",
    summary="Causal attention in plain torch.",
    source="pgolf's documentation",
    family="architecture",
)


class PlainAttention:
    """A class, because it prepares something."""

    def prepare(self, session):
        """On every rank, before any time is spent; the text goes to the log."""
        length = max(session.settings.train_seq_len, session.seq_len)
        self.mask = torch.ones(length, length, dtype=torch.bool, device=session.world.device).tril()
        return f"plain torch up to {length} tokens"

    def __call__(self, model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx):
        ctx.fired("example_attention", "layers")
        repeats, length = q_BTHC.size(2) // k_BTKC.size(2), q_BTHC.size(1)
        k, v = (x.repeat_interleave(repeats, 2) for x in (k_BTKC, v_BTKC))
        scores = torch.einsum("bqhc,bkhc->bhqk", q_BTHC, k) * q_BTHC.size(3) ** -0.5
        scores = scores.masked_fill(~self.mask[:length, :length], float("-inf"))
        return torch.einsum("bhqk,bkhc->bqhc", scores.softmax(3), v)


@hookimpl
def attention_kernel(settings) -> Component:
    """All layers."""
    return Component(PlainAttention)
