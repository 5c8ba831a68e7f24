"""The example of stream fields: each target gets the token before it, and the field knows nothing else."""

import torch

from pgolf.examples.example_stream_field import token_before
from pgolf.runtime.ledger import Ledger


def test_each_place_has_the_token_before_it():
    ledger = Ledger()
    found = token_before(torch.tensor([4, 5, 6], dtype=torch.uint16), torch.device("cpu"), ledger)
    assert found.tolist() == [-1, 4, 5] and ledger.receipt("example_stream_field") == "3 places"
