"""A head of its own, zero at the start: every token is as likely as any other."""

import math

import torch

from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


def test_a_logit_is_the_product_with_a_row_of_the_head():
    model, ledger = scramble(make_model("untied_head").model), Ledger()
    x = torch.randn(2, 3, 64)
    logits = model.program.head(model, x, tiny_context(model, ledger=ledger))
    head = model.matrices()["lm_head.weight"]
    assert logits.shape == (2, 3, 256) and ledger.receipt("untied_head") == "1 heads"
    for token in (0, 17, 255):
        torch.testing.assert_close(logits[..., token], (x * head[token]).sum(-1))


def test_the_first_loss_is_the_logarithm_of_the_vocabulary():
    model = make_model("untied_head").model
    assert not model.matrices()["lm_head.weight"].any()
    assert math.isclose(model(*tiny_tokens()).item(), math.log(256), rel_tol=1e-6)


def test_tokens_that_do_not_occur_leave_the_embedding_alone():
    model = scramble(make_model("untied_head").model)
    ids, targets = tiny_tokens()
    model(ids, targets).backward()
    unseen = sorted(set(range(256)) - set(ids.unique().tolist()))
    assert not model.get_parameter("tok_emb.weight").grad[unseen].any()
    assert model.get_parameter("lm_head.weight").grad[unseen].any()


def test_the_embedding_starts_with_a_spread_of_one():
    assert abs(make_model("untied_head").model.matrices()["tok_emb.weight"].std() - 1.0) < 0.03
