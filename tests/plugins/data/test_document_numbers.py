"""Numbers of documents, and what attention makes of them."""

import torch
from models import built, resolved, scramble, tokens

from pgolf.runtime.ledger import Ledger


def test_every_bos_begins_a_document():
    ((name, field),) = built("document_numbers").program.batch_fields
    ledger = Ledger()
    ids = torch.tensor([[5, 1, 7, 1, 1, 9], [1, 4, 4, 4, 4, 4]])
    assert name == "documents" and field(ids, ledger).tolist() == [[0, 1, 1, 2, 3, 3], [1, 1, 1, 1, 1, 1]]
    assert ledger.receipt("document_numbers") == "1 batches"


@torch.no_grad()
def test_a_document_is_scored_as_if_it_stood_alone():
    model = scramble(built("document_numbers").model).eval()
    ids, targets = tokens(1, 24)
    ids[0, 10] = 1
    packed = model(ids, targets, reduction="none")
    for part in (slice(0, 10), slice(10, 24)):
        alone = model(ids[:, part], targets[:, part], reduction="none")
        torch.testing.assert_close(packed[:, part], alone, rtol=1e-4, atol=1e-4)


def test_it_brings_attention_that_reads_them():
    assert "varlen_attention" in resolved("document_numbers").selection.plugins
