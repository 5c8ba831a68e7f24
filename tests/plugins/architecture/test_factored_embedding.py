"""The factored embedding against the public script: stem, and logits through bias and cap; and what cannot go with it."""

import pytest
import torch
from models import Case, built, resolved, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context


@torch.no_grad()
def test_stem_and_logits_match_the_public_script():
    case = Case("unit_loss", "factorised_embedding")
    sizes = {"model_dim": 16, "num_heads": 2, "vocab_size": 40, "embed_dim": 10, "logit_softcap": 10.0}
    model = built("factored_embedding", "vocab_bias", "poly_softcap", **sizes).model
    model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=False)
    ids = case.inputs["ids"].long()
    ctx = Context(ids, (), True, model.matrices(), {}, {}, None, None, None)
    case.check("stem", model.stem(ids, ctx))
    logits = model.program.head(model, case.inputs["hidden"], ctx)
    for tap in model.program.logit_taps:
        logits = tap(model, logits, ctx)
    case.check("logits", logits)


@torch.no_grad()
def test_the_raw_embedding_is_mixed_before_it_is_projected():
    made = built("factored_embedding", "smear_gate_v3", embed_dim=24)
    assert [getattr(mix, "__name__", getattr(mix, "func", mix)) for mix in made.program.stem_raw][-1] == "project_up"
    ids, targets = tokens()
    assert made.model(ids, targets).isfinite()


def test_calibration_sees_both_projections_and_the_matrix_optimizer_trains_them():
    made, seen = built("factored_embedding", embed_dim=24), {}
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.setdefault(role, x.size(-1)))
    assert (seen["embed_proj"], seen["embed_proj_rev"], seen["head"]) == (24, 64, 24)
    groups = {record.name: record.group for record in made.parameters}
    assert groups["embed_proj.weight"] == groups["embed_proj_rev.weight"] == "matrix"


def test_what_is_as_wide_as_the_stream_is_refused():
    for other in ("bigram_hash", "bigram_hash_v1", "smear_gate_v1"):
        with pytest.raises(PgolfError, match="the stream"):
            resolved("factored_embedding", other, embed_dim=24)
    with pytest.raises(PgolfError, match="embed_dim is 64, wanted less than model_dim=64"):
        resolved("factored_embedding", embed_dim=64)
