"""The third smear gate against the public script, token by token by hand, and where documents begin."""

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError


def stem_before_norm(model, ids, starts):
    """The raw embedding after the gate."""
    ctx = context(model, starts)
    (mix,) = model.program.stem_raw
    return mix(model, model.tok_emb.weight[ids], ids, ctx)


def context(model, starts):
    from pgolf.runtime.context import Context

    return Context(None, (), True, model.matrices(), {}, {"starts": starts}, None, None, None)


@pytest.mark.parametrize("window", [6, 12, 16])
def test_the_gate_matches_the_public_script_with_and_without_documents(window):
    case = Case("unit_embedding", f"smear_v3_window{window}")
    rows, width = case.params["tok_emb.weight"].shape
    model = built("smear_gate_v3", vocab_size=rows, model_dim=width, gate_window=window).model
    model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=False)
    ids = case.inputs["ids"].long()
    case.check("out_masked", stem_before_norm(model, ids, ids == 1).detach())
    case.check("out_nomask", stem_before_norm(model, ids, ids < 0).detach())


@torch.no_grad()
def test_every_token_by_hand():
    model = scramble(built("smear_gate_v3", gate_window=5).model)
    ids, _ = tokens(2, 9)
    ids[0, [0, 4, 5]], ids[1, 8] = 1, 1
    rows = model.tok_emb.weight[ids]
    want = rows.clone()
    for b in range(2):
        for t in range(1, 9):
            if ids[b, t] != 1:
                gate = torch.sigmoid(rows[b, t, :5] @ model.smear_gate.weight[0])
                want[b, t] += model.smear_lambda * gate * rows[b, t - 1]
    torch.testing.assert_close(stem_before_norm(model, ids, ids == 1), want)


@torch.no_grad()
def test_a_document_is_scored_alike_wherever_it_stands_in_a_row():
    """The first token's embedding carries nothing of the document before: attention is off, so scores must agree."""
    made = built("smear_gate_v3")
    model = scramble(made.model).eval()
    for layer in range(4):
        model.get_parameter(f"blocks.{layer}.attn_scale").zero_()
    ids, targets = tokens(1, 16)
    ids[0, 6] = 1
    alone = model(ids[:, 6:], targets[:, 6:], reduction="none")
    torch.testing.assert_close(model(ids, targets, reduction="none")[:, 6:], alone, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_the_quirk_is_the_form_without_a_mask():
    one, two = (scramble(built("smear_gate_v3", quirk_smear_across_documents=quirk).model) for quirk in (True, False))
    ids, targets = tokens()
    ids[:, 5] = 1
    assert torch.equal(one(ids, targets), two(ids, targets, fields={"starts": ids < 0}))
    assert not torch.equal(one(ids, targets), two(ids, targets))


def test_it_starts_as_the_identity_and_learns_its_share_first():
    plain, smeared = built().model, built("smear_gate_v3").model
    ids, targets = tokens()
    assert torch.equal(plain(ids, targets), smeared(ids, targets))
    scramble(smeared)
    with torch.no_grad():
        smeared.smear_lambda.zero_()
        smeared.smear_gate.weight.zero_()
    smeared(ids, targets).backward()
    assert smeared.smear_lambda.grad.any() and not smeared.smear_gate.weight.grad.any()


def test_no_caller_can_forget_where_documents_begin():
    """The field is made in the forward, also in calibration, unless the caller gives another."""
    model = scramble(built("smear_gate_v3").model).eval()
    ids, targets = tokens()
    ids[:, 5] = 1
    plain = model(ids, targets, reduction="none")
    assert torch.equal(plain, model(ids, targets, reduction="none", fields={"starts": ids == 1}))
    assert not torch.equal(plain, model(ids, targets, reduction="none", fields={"starts": ids < 0}))


def test_what_cannot_work_is_refused():
    with pytest.raises(PgolfError, match="gate_window is 65, wanted at most 64"):
        resolved("smear_gate_v3", gate_window=65)
    with pytest.raises(PgolfError, match="smear_gate"):
        resolved("smear_gate_v3", "smear_gate")
    assert "document_starts" in resolved("smear_gate_v3").selection.plugins
