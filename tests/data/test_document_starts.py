"""The mask of document starts."""

import torch

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.data.document_starts import mark_document_starts


def test_true_exactly_at_bos():
    ids = torch.tensor([[1, 5, 1], [7, 2, 9]])
    ledger = Ledger()
    assert mark_document_starts(ids, ledger, bos_id=1).tolist() == [[True, False, True], [False, False, False]]
    assert ledger.receipt("document_starts") == "1 batches"


def test_it_needs_no_ledger():
    assert mark_document_starts(torch.tensor([[4, 1]]), bos_id=4).dtype == torch.bool
