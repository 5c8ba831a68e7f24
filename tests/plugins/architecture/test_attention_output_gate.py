"""The attention output gate against the public scripts: units, and a whole model without document borders."""

import math

import pytest
import torch
from gates import check_core
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError


@pytest.mark.parametrize("source", ["proj", "q"])
def test_attention_core_matches_the_public_script(source):
    check_core(f"gate_out_{source}_xsa1_varlen0", "attention_output_gate", attn_out_gate_src=source)


def test_a_whole_model_matches_the_script_that_smears_across_documents():
    case = Case("model_pr1667_proj", "pr1667_proj")
    plugins = ("banks", "layer_loop", "leaky_relu2", "ln_scale", "partial_rope", "skip_gates", "two_lanes", "xsa")
    sizes = {"num_layers": 5, "rope_dims": 8, "num_loops": 1, "loop_start": 1, "loop_end": 2}
    start = case.record["effective_hyperparameters"]["parallel_start_layer"]
    gates = ("smear_gate_v3", "attention_output_gate")
    model = built(*plugins, *gates, **sizes, parallel_start_layer=start, qk_gain_init=5.25).model
    model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    extra = {"phases": ("loop",), "fields": {"starts": ids < 0}}
    mean = model(ids, targets, **extra)
    mean.backward()
    case.check("mean_loss", mean.detach())
    case.check("per_token_loss", model(ids, targets, reduction="none", **extra).detach())
    tensors = dict(model.named_parameters())
    for key, wanted in zip(
        case.record["grad_norm_names"], case.outputs["grad_norm"].nan_to_num().tolist(), strict=True
    ):
        found = 0.0 if tensors[key].grad is None else tensors[key].grad.norm().item()
        assert math.isclose(found, wanted, rel_tol=5e-4, abs_tol=1e-6), key


@pytest.mark.parametrize("source", ["proj", "q"])
def test_it_starts_as_the_identity_and_calibration_sees_every_matrix_once(source):
    gated, plain = built("attention_output_gate", attn_out_gate_src=source), built()
    ids, targets = tokens()
    assert torch.equal(gated.model(ids, targets), plain.model(ids, targets))
    seen = []
    scramble(gated.model)(ids, targets, observe=lambda role, layer, x: seen.append((role, layer)))
    assert len(seen) == len(set(seen)) == 6 * 4 + 1


def test_what_cannot_work_is_refused():
    with pytest.raises(PgolfError, match="gate_window is 65, wanted at most 64"):
        resolved("attention_output_gate", gate_window=65)
    with pytest.raises(PgolfError, match="wanted one of proj, q"):
        resolved("attention_output_gate", attn_out_gate_src="k")
    for other in ("dense_attention_gate", "gated_attention", "sparse_attention_gate"):
        with pytest.raises(PgolfError, match="both gate"):
            resolved("attention_output_gate", other)
