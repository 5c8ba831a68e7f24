"""What a value embedding adds, against the public script, and the layers that it acts on."""

import pytest
import torch
from models import Case, built

from pgolf.runtime.context import Context


@pytest.mark.parametrize("width", [12, 16])
def test_what_is_added_matches_the_public_script(width):
    case = Case("unit_attention_variants", f"value_embedding_{width}_16")
    made = built("value_embedding", model_dim=16, num_kv_heads=4, ve_dim=width, ve_layers="3,1")
    weights = {f"ve_shared.{key}": value.float() for key, value in case.params.items()}
    weights |= {"ve_layer_scales.0": torch.zeros(1), "ve_layer_scales.1": case.inputs["layer_scale"].float()}
    ids = case.inputs["ids"].long()
    (term,) = made.program.value_terms
    values = torch.randn(2, 8, 16)
    ctx = Context(ids, (), True, weights, {}, {}, None, None, None)
    case.check("added_to_v", term(made.model, values, None, 1, 1, ctx) - values)
    assert torch.equal(term(made.model, values, None, 3, 3, ctx), values), "the first listed layer's scale is zero here"
    assert term(made.model, values, None, 2, 2, ctx) is values, "a layer that is not listed"
