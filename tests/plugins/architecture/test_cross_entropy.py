"""The mean of -log p(target), in nats and float32."""

import math

import torch

from pgolf.testing import Ledger, make_model, tiny_context

LOGITS = torch.randn(2, 5, 256, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(256, (2, 5), generator=torch.Generator().manual_seed(1))


def loss(logits, reduction="mean", ledger=None):
    model = make_model().model
    return model.program.loss(model, logits, TARGETS, reduction, tiny_context(ledger=ledger))


def test_each_token_costs_minus_its_log_probability():
    ledger = Ledger()
    found = loss(LOGITS, "none", ledger)
    assert found.shape == (2, 5) and ledger.receipt("cross_entropy") == "1 losses"
    for row in range(2):
        for t in range(5):
            powers = [math.exp(value) for value in LOGITS[row, t].tolist()]
            assert math.isclose(found[row, t], -math.log(powers[TARGETS[row, t]] / sum(powers)), rel_tol=1e-5)
    torch.testing.assert_close(loss(LOGITS), found.mean())


def test_logits_without_knowledge_cost_the_logarithm_of_the_vocabulary():
    assert math.isclose(loss(torch.zeros(2, 5, 256)), math.log(256), rel_tol=1e-6)


def test_a_constant_for_all_tokens_changes_nothing_and_large_logits_stay_finite():
    torch.testing.assert_close(loss(LOGITS + 3.0, "none"), loss(LOGITS, "none"))
    assert loss(LOGITS * 1e4).isfinite()


def test_bfloat16_is_summed_in_float32():
    half = LOGITS.bfloat16()
    assert loss(half).dtype == torch.float32
    torch.testing.assert_close(loss(half), loss(half.float()), rtol=0, atol=0)
