"""The example of `batch_statistics`: counts by hand, and the mean over batches among the statistics."""

from types import SimpleNamespace

import torch

from pgolf.examples.example_counts import count_tokens
from pgolf.runtime.calibrate import gather
from pgolf.runtime.ledger import Ledger


def test_counts_of_every_token_and_their_sums_over_batches():
    session = SimpleNamespace(ledger=Ledger(), settings=SimpleNamespace(vocab_size=5))
    gathered = {}
    for number, ids in enumerate(([[1, 1, 4]], [[1, 0, 2]])):
        gather(gathered, count_tokens(session, torch.tensor(ids), number))
    total, batches = gathered["tok_emb.weight"]["counts"]
    assert batches == 2 and (total / batches).tolist() == [0.5, 1.5, 0.5, 0.0, 0.5]
    assert session.ledger.receipt("example_counts") == "2 batches"
