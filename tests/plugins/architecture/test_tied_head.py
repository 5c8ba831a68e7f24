"""One matrix embeds and is the head."""

import pytest
import torch

from pgolf.errors import PgolfError
from pgolf.testing import Ledger, make_model, resolve_tiny, scramble, tiny_context, tiny_tokens


def test_a_logit_is_the_product_with_the_tokens_embedding():
    model, ledger = scramble(make_model().model), Ledger()
    x = torch.randn(2, 3, 64)
    logits = model.program.head(model, x, tiny_context(model, ledger=ledger))
    embedding = model.matrices()["tok_emb.weight"]
    assert logits.shape == (2, 3, 256) and ledger.receipt("tied_head") == "1 heads"
    for token in (0, 17, 255):
        torch.testing.assert_close(logits[..., token], (x * embedding[token]).sum(-1))


def test_there_is_no_other_head_and_both_uses_give_gradients():
    model = make_model().model
    assert [name for name in model.matrices() if "head" in name] == []
    ids, targets = tiny_tokens()
    model(ids, targets).backward()
    unseen = sorted(set(range(256)) - set(ids.unique().tolist()))
    assert model.get_parameter("tok_emb.weight").grad[unseen].any(), "the head reads every row"


def test_the_start_has_the_spread_that_is_set():
    weight = make_model(tied_embed_init_std=0.02).model.matrices()["tok_emb.weight"]
    assert abs(weight.std() - 0.02) < 0.001 and abs(weight.mean()) < 0.001


def test_a_start_of_zeros_is_refused():
    with pytest.raises(PgolfError, match="more than 0"):
        resolve_tiny(tied_embed_init_std=0.0)
