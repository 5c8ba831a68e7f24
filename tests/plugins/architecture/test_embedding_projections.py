"""A narrow embedding projected after its norm: a whole model of the public script, and what cannot go with it."""

import math

import pytest
from models import Case, built, resolved, tokens

from pgolf.errors import PgolfError

PLUGINS = ("embedding_projections", "leaky_relu2", "ln_scale", "partial_rope", "xsa")


def test_a_whole_model_matches_the_public_script():
    case = Case("model_pr1493_3L_factor", "pr1493_3L_factor_noloop")
    model = built(*PLUGINS, num_layers=3, rope_dims=8, embedding_dim=40).model
    model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    mean = model(ids, targets)
    mean.backward()
    case.check("mean_loss", mean.detach())
    case.check("per_token_loss", model(ids, targets, reduction="none").detach())
    tensors = dict(model.named_parameters())
    for key, wanted in zip(case.record["grad_norm_names"], case.outputs["grad_norm"].tolist(), strict=True):
        assert math.isclose(tensors[key].grad.norm().item(), wanted, rel_tol=5e-4, abs_tol=1e-6), key


def test_calibration_sees_both_projections_and_the_matrix_optimizer_trains_them():
    made, seen = built("embedding_projections", embedding_dim=24), {}
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.setdefault(role, x.size(-1)))
    assert (seen["embed_proj"], seen["head_proj"], seen["head"]) == (24, 64, 24)
    groups = {record.name: record.group for record in made.parameters}
    assert groups["embed_proj.weight"] == groups["head_proj.weight"] == "matrix"


def test_what_is_as_wide_as_the_stream_is_refused():
    for other in ("bigram_hash", "bigram_hash_v1", "smear_gate_v1"):
        with pytest.raises(PgolfError, match="the stream"):
            resolved("embedding_projections", other, embedding_dim=24)
    with pytest.raises(PgolfError, match="embedding_dim is 64, wanted less than model_dim=64"):
        resolved("embedding_projections", embedding_dim=64)
    assert resolved("embedding_projections", "smear_gate", embedding_dim=24)
