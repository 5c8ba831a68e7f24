"""n_v, how often token v is read in a batch: a statistic of the rows of the embedding."""

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_counts",
    summary="Counts of tokens as a statistic of the embedding.",
    source="pgolf's documentation",
    family="quantizer",
)


def count_tokens(session, ids_BT, number):
    """(V,) under the tensor's canonical name; the mean over batches is kept."""
    session.ledger.count("example_counts", "batches")
    return {"tok_emb.weight": {"counts": torch.bincount(ids_BT.flatten(), minlength=session.settings.vocab_size)}}


@hookimpl
def batch_statistics(settings) -> Component:
    """Recipes, clip taps and plans find it among the statistics of the tensor."""
    return Component(count_tokens)
