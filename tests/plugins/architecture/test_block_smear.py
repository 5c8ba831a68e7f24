"""Smear of blocks: the mean so far, within documents; the whole model is among the vectors."""

import torch
from models import built, scramble, tokens

from pgolf.runtime.context import Context
from pgolf_plugins.architecture.block_smear import mean_so_far


def context(**fields):
    return Context(None, (), True, {}, {}, fields, None, None, None)


def test_the_mean_is_of_the_positions_so_far():
    x = torch.randn(2, 7, 3)
    found = mean_so_far(x, context())
    for t in range(7):
        torch.testing.assert_close(found[:, t], x[:, : t + 1].mean(1))


def test_the_mean_begins_anew_with_a_document():
    x, starts = torch.randn(2, 7, 3), torch.zeros(2, 7, dtype=torch.bool)
    starts[0, 3] = starts[0, 4] = starts[1, 0] = True
    found = mean_so_far(x, context(starts=starts))
    for b, first in ((0, [0, 0, 0, 3, 4, 4, 4]), (1, [0] * 7)):
        for t, begin in enumerate(first):
            torch.testing.assert_close(found[b, t], x[b, begin : t + 1].mean(0), rtol=1e-5, atol=1e-6)
    documents = torch.tensor([[0, 0, 0, 1, 2, 2, 2], [5] * 7])
    torch.testing.assert_close(mean_so_far(x, context(documents=documents)), found)


def test_without_a_gate_nothing_changes():
    ids, targets = tokens(2, 16)
    plain, smeared = (scramble(built(*names).model) for names in ((), ("block_smear",)))
    for key, value in plain.state_dict().items():
        smeared.state_dict()[key].copy_(value)
    for name, tensor in smeared.named_parameters():
        if name.endswith("smear.gate"):
            tensor.data.zero_()
    assert torch.equal(plain(ids, targets), smeared(ids, targets))
