"""The key offset is a true shift by one of the unrotated part, kept inside documents and off windowed layers."""

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context


def context(**fields):
    """A forward's context with these batch fields."""
    return Context(None, (), True, {}, {}, fields, None, None, None)


def shifted_by_hand(k, rope_dims, starts=None):
    """Position by position: the predecessor's old value, except for the first token and for document starts."""
    want = k.clone()
    for b in range(k.shape[0]):
        for t in range(1, k.shape[1]):
            if starts is None or not starts[b, t]:
                want[b, t, :, rope_dims:] = k[b, t - 1, :, rope_dims:]
    return want


def test_every_key_takes_its_predecessors_old_value():
    (tap,) = [tap for tap in built("pko", rope_dims=8).program.query_key_taps if hasattr(tap, "first_layer")]
    q, k = torch.randn(2, 9, 4, 16), torch.randn(2, 9, 2, 16)
    same_q, found = tap(None, q, k, None, 0, 0, context())
    assert same_q is q and torch.equal(found, shifted_by_hand(k, 8))


def test_a_documents_first_key_keeps_its_own_value():
    (tap,) = [tap for tap in built("pko", rope_dims=8).program.query_key_taps if hasattr(tap, "first_layer")]
    k = torch.randn(2, 9, 2, 16)
    starts = torch.zeros(2, 9, dtype=torch.bool)
    starts[0, [0, 3, 4]], starts[1, 8] = True, True
    _, found = tap(None, k, k, None, 0, 0, context(starts=starts))
    assert torch.equal(found, shifted_by_hand(k, 8, starts))


@torch.no_grad()
def test_with_document_starts_a_document_does_not_see_the_one_before():
    """In one layer's attention the key of a document's first token carries nothing of the document before."""
    made = built("pko", "document_starts", rope_dims=8)
    ((name, field),) = made.program.batch_fields
    ids, _ = tokens()
    ids[:, 10] = 1
    starts = field(ids, None)
    assert name == "starts" and starts.sum() == ids.shape[0]
    (tap,) = [tap for tap in made.program.query_key_taps if hasattr(tap, "first_layer")]
    k = torch.randn(2, 32, 2, 16)
    changed = k.clone()
    changed[:, 9] += 1
    before, after = (tap(None, key, key, None, 0, 0, context(starts=starts))[1] for key in (k, changed))
    assert torch.equal(before[:, 10], after[:, 10])


@pytest.mark.parametrize(
    ("name", "kv_heads", "rope_dims"), [("pko_D16_rd8", 1, 8), ("pko_D8_rd4", 2, 4), ("pko_D16_rd0", 2, 16)]
)
def test_attention_core_matches_the_public_script(name, kv_heads, rope_dims):
    """With rotation over the whole head (the script says rope_dims 0) the upper half is shifted."""
    case = Case("unit_attention_variants", name)
    sizes = {"num_layers": 2, "model_dim": 32, "num_heads": case.record["hyperparameters"]["num_heads"]}
    for plugin, output in (("pko", "y"), ("partial_rope", "y_off")):
        model = built(plugin, num_kv_heads=kv_heads, rope_dims=rope_dims, **sizes).model
        model.blocks[0].attn.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
        x = case.inputs["x"].clone().requires_grad_()
        ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
        y = attention_branch(model, x, 0, 0, ctx)
        case.check(output, y.detach())
        if plugin == "pko":
            (y * case.inputs["w"]).sum().backward()
            case.check("grad_x", x.grad)


def test_windowed_layers_keep_their_keys():
    made = built("pko", "swa", num_layers=4, swa_window=4, swa_full_attn_layers=1, rope_dims=8)
    scramble(made.model)
    (tap,) = [tap for tap in made.program.query_key_taps if hasattr(tap, "first_layer")]
    k = torch.randn(1, 5, 2, 16)
    assert [tap(None, k, k, None, layer, 0, context())[1] is k for layer in range(4)] == [True, True, True, False]


def test_it_brings_partial_rope_along():
    selection = resolved("pko").selection
    assert "partial_rope" in selection.plugins and "pko brings partial_rope" in selection.notes
    assert "partial_rope" not in resolved("pko", "ntk_rope", rope_dims=8, eval_seq_len=96).selection.plugins
    with pytest.raises(PgolfError, match="pko requires partial_rope"):
        resolved("pko", remove=("partial_rope", "ntk_rope"))
