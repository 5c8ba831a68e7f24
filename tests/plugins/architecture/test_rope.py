"""Pairs of components turn by an angle that grows with the position."""

import math

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.testing import Ledger, make_model, resolve_tiny, tiny_context


def rotate(x, ledger=None, **settings):
    return make_model(**settings).program.rotary(None, x, 0, 0, tiny_context(ledger=ledger))


@pytest.mark.parametrize("base", [10000.0, 50.0])
def test_each_pair_turns_by_its_angle(base):
    x, ledger = torch.randn(1, 6, 2, 16), Ledger()
    found = rotate(x, ledger, rope_base=base)
    for t in range(6):
        for j in range(8):
            angle = t * base ** (-2 * j / 16)
            u, v = x[0, t, 1, j], x[0, t, 1, j + 8]
            torch.testing.assert_close(found[0, t, 1, j], u * math.cos(angle) + v * math.sin(angle))
            torch.testing.assert_close(found[0, t, 1, j + 8], v * math.cos(angle) - u * math.sin(angle))
    assert ledger.receipt("rope") == "1 rotations"


def test_lengths_stay_and_products_depend_on_the_distance_alone():
    q, k = torch.randn(1, 1, 1, 16).expand(1, 9, 1, 16), torch.randn(1, 1, 1, 16).expand(1, 9, 1, 16)
    turned_q, turned_k = rotate(q), rotate(k)
    torch.testing.assert_close(turned_q.norm(dim=-1), q.norm(dim=-1))
    products = torch.einsum("btc,bsc->bts", turned_q[:, :, 0], turned_k[:, :, 0])[0]
    for distance in range(1, 5):
        line = products.diagonal(-distance)
        torch.testing.assert_close(line, line[:1].expand(9 - distance), rtol=1e-4, atol=1e-5)


def test_the_first_position_does_not_turn():
    x = torch.randn(2, 4, 2, 16)
    assert torch.equal(rotate(x)[:, 0], x[:, 0])


def test_heads_of_an_odd_width_are_refused():
    with pytest.raises(PgolfError, match="even width"):
        resolve_tiny(model_dim=12, num_heads=4)
