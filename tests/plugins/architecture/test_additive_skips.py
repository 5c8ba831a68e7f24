"""Skips are added, weighted per channel, the last encoder step's first."""

import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


def test_one_row_for_each_skip_and_all_ones_at_the_start():
    for layers, skips in ((4, 2), (5, 2), (2, 1)):
        weights = make_model(num_layers=layers).model.matrices()["skip_weights"]
        assert weights.shape == (skips, 64) and weights.unique().tolist() == [1.0]


def test_each_channel_gets_its_own_weight():
    model = scramble(make_model().model)
    x, skip = torch.randn(2, 3, 64), torch.randn(2, 3, 64)
    ledger = Ledger()
    found = model.program.skip(model, x, skip, 1, tiny_context(model, ledger=ledger))
    row = model.matrices()["skip_weights"][1]
    for channel in (0, 7, 63):
        torch.testing.assert_close(found[..., channel], x[..., channel] + row[channel] * skip[..., channel])
    assert ledger.receipt("additive_skips") == "1 skips"


def test_a_weight_of_zero_cuts_the_skip_off():
    made = scramble(make_model().model).eval()
    ids, targets = tiny_tokens()
    seen = []
    made.program = made.program._replace(skip=lambda model, x, skip, index, ctx: seen.append(index) or x)
    without = made(ids, targets)
    assert seen == [0, 1], "the first decoder step gets skip 0"
    again = scramble(make_model().model).eval()
    with torch.no_grad():
        again.matrices()["skip_weights"].zero_()
    assert torch.equal(again(ids, targets), without)
