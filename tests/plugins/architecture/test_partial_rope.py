"""Some components turn as if they were a head of their own; the rest carry no position."""

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.testing import Ledger, make_model, resolve_tiny, tiny_context


def rotate(name, x, ledger=None, **settings):
    return make_model(name, **settings).program.rotary(None, x, 0, 0, tiny_context(ledger=ledger))


def test_the_first_components_are_a_narrower_head():
    x, ledger = torch.randn(2, 6, 4, 16), Ledger()
    found = rotate("partial_rope", x, ledger, rope_dims=8)
    narrow = rotate("rope", x[..., :8], model_dim=32)
    assert torch.equal(found[..., 8:], x[..., 8:])
    torch.testing.assert_close(found[..., :8], narrow)
    assert ledger.receipt("partial_rope") == "1 rotations"


def test_all_components_are_rope():
    x = torch.randn(2, 6, 4, 16)
    torch.testing.assert_close(rotate("partial_rope", x, rope_dims=16), rotate("rope", x))


@pytest.mark.parametrize(("dims", "said"), [(5, "an even number"), (18, "at most 16, the width of a head")])
def test_what_cannot_turn_is_refused(dims, said):
    with pytest.raises(PgolfError, match=said):
        resolve_tiny("partial_rope", rope_dims=dims)
