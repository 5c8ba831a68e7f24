"""Auxiliary heads for later tokens."""

import pytest
import torch
from models import Case, built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.export import quantization_classes
from pgolf.testing.models import tiny_context


def test_heads_match_the_public_script():
    case = Case("unit_loss", "mtp_form_A")
    made = built("mtp", mtp_num_heads=2, vocab_size=30, model_dim=12, num_heads=2, num_kv_heads=1)
    with torch.no_grad():
        made.model.tok_emb.weight.copy_(case.inputs["E"])
        for head in range(2):
            made.model.mtp_heads[head].weight.copy_(case.inputs[f"head{head}"])
    ctx = tiny_context(made.model)
    hidden, targets = case.inputs["hidden"], case.inputs["target_ids"].long()
    z = made.program.head(made.model, hidden, ctx)
    logits = made.program.logit_taps[0](made.model, z, ctx)
    main = made.program.loss(made.model, logits, targets, "mean", ctx)
    extra = made.program.auxiliary_losses[0](made.model, hidden, logits, targets, ctx)
    case.check("main", main.detach())
    case.check("total", (main + extra).detach())


def test_heads_are_not_exported_and_start_at_zero():
    made = built("mtp", mtp_num_heads=2)
    assert [name for name in made.model.state_dict() if name.startswith("mtp")] == [
        "mtp_heads.0.weight",
        "mtp_heads.1.weight",
    ]
    assert not made.model.mtp_heads[1].weight.any()
    assert not any("mtp" in name for name in quantization_classes(made.parameters))


def test_recurrence_is_warned_of():
    warnings = resolved("mtp", "layer_loop", loop_start=1, loop_end=2).selection.warnings
    assert any("mtp and layer_loop" in warning for warning in warnings)


@pytest.mark.parametrize(("name", "setting"), [("mtp", "mtp_num_heads"), ("mtp_tied", "mtp_steps")])
def test_more_steps_than_a_sequence_has_are_refused(name, setting):
    with pytest.raises(PgolfError, match=f"{setting} is 64, wanted at most 63"):
        resolved(name, **{setting: 64})
