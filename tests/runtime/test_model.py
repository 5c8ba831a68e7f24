"""The one forward: its parts in order, its modes, and what it makes by itself."""

import pytest
import torch
import torch.nn.functional as F

from pgolf.runtime.layers import rms_norm
from pgolf.testing import Ledger, make_model, scramble, tiny_context, tiny_tokens


@pytest.fixture
def model():
    return scramble(make_model().model)


def test_the_loss_is_embedding_norm_walk_norm_head_taps_and_cross_entropy(model):
    ids, targets = tiny_tokens()
    ctx, weights = tiny_context(model, ids), model.matrices()
    x = rms_norm(weights["tok_emb.weight"][ids])
    x = rms_norm(model.program.wiring(model, x, x, ctx))
    logits = model.program.head(model, x, ctx)
    for tap in model.program.logit_taps:
        logits = tap(model, logits, ctx)
    wanted = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(model(ids, targets), wanted)
    torch.testing.assert_close(model(ids, targets, reduction="none").mean(), wanted)


def test_names_are_canonical_and_tensors_the_stored_ones(model):
    stored = dict(model.named_parameters())
    found = model.matrices()
    assert set(found) == set(stored) and all(found[name] is stored[name] for name in stored)


def test_a_matrix_by_its_role(model):
    x, ctx = torch.randn(1, 3, 64), tiny_context(model)
    weight = model.matrices()["blocks.2.mlp.fc.weight"]
    torch.testing.assert_close(model.project(x, "mlp.fc", 2, 2, ctx), x @ weight.T)
    assert torch.equal(model.tapped_matrix("mlp.fc", 2, 2, ctx), weight)


def test_auxiliary_losses_are_for_training_and_transforms_for_scoring(model):
    ids, targets = tiny_tokens()
    plain = model(ids, targets)
    model.program = model.program._replace(
        auxiliary_losses=(lambda model, x, logits, targets, ctx: 10.0 + 0 * x.sum(),),
        distribution_transforms=(lambda model, logits, ids, ctx: 0 * logits,),
    )
    torch.testing.assert_close(model(ids, targets), plain + 10.0)
    assert model.eval()(ids, targets).item() == pytest.approx(torch.tensor(256.0).log().item())


def test_batch_fields_that_nobody_gave_are_made(model):
    ids, targets = tiny_tokens()
    seen = []

    def look(model, n, layer, position, ctx):
        seen.append(ctx.fields["places"])
        return n

    def places(ids, ledger):
        ledger.count("places", "fields")
        return torch.zeros_like(ids)

    model.program = model.program._replace(batch_fields=(("places", places),), branch_inputs=(look,))
    ledger, given = Ledger(), torch.ones_like(ids)
    model(ids, targets, ledger=ledger)
    model(ids, targets, ledger=ledger, fields={"places": given})
    assert ledger.receipt("places") == "1 fields" and not seen[0].any() and seen[-1] is given


def test_no_position_sees_a_later_one(model):
    ids, targets = tiny_tokens()
    model.eval()
    before = model(ids, targets, reduction="none")
    changed = ids.clone()
    changed[:, 20:] = 5
    after = model(changed, targets, reduction="none")
    assert torch.equal(before[:, :20], after[:, :20]) and not torch.equal(before[:, 20:], after[:, 20:])
