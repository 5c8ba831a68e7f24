"""Training sees what the exporter stores: for every exporter, decoded from the artifact's own parts."""

import pytest
import torch
import torch.nn.functional as F
from models import built, resolved, tokens
from pipeline_vectors import load_case

from pgolf.errors import PgolfError
from pgolf.runtime.export import decode_tensor, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.progress import measure_progress
from pgolf.runtime.quantize import fake_quantize
from pgolf.testing import scramble, tiny_context
from pgolf_plugins.quantizer.int6 import Int6Recipe
from pgolf_plugins.quantizer.qat import qat_starts
from pgolf_plugins.quantizer.row_max import RowMax

# Sides of 258 make matrices just large enough for recipes not to keep them.
SIZES = {"model_dim": 258, "num_heads": 3, "num_kv_heads": 3, "num_layers": 2, "mlp_mult": 1, "rope_dims": 16}


def made(*plugins, **settings):
    known = resolved("qat", *plugins, **settings).selection.settings.as_dict()
    return built("qat", *plugins, **{key: value for key, value in {**SIZES, **settings}.items() if key in known})


EXPORTERS = {
    "int8": {},
    "int6": {},
    "row_max": {},
    "sdclip": {"mlp_clip_sigmas": 6.0},
    "gptq_lite": {"quirk_step_floor": True},
    "coarse_int8": {"int4_layers": "1"},
    "fp16_keep": {"fp16_keep_name_patterns": "blocks.0.mlp"},
}


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_training_uses_the_weights_of_the_artifact(exporter):
    one = made(*[exporter] * (exporter != "int8"), **EXPORTERS[exporter])
    model = scramble(one.model)
    state = canonical_state(model.state_dict(), one.parameters)
    encoded = encode_model(state, one.parameters, one.program, {}, Ledger())
    ctx = tiny_context(model)
    for name, role, layer in (("blocks.0.mlp.fc.weight", "mlp.fc", 0), ("blocks.1.attn.c_q.weight", "attn.c_q", 1)):
        used = model.tapped_matrix(role, layer, layer, ctx)
        stored = decode_tensor(name, encoded[name], role.split(".")[0], one.program, torch.float32)
        if exporter == "fp16_keep" and not layer:
            assert used is ctx.weights[name], "what stays in float16 is not fake-quantized"
        else:
            torch.testing.assert_close(used, stored, rtol=1e-6, atol=1e-6)
            assert not torch.equal(used, ctx.weights[name])
    with torch.no_grad():
        model.eval()
        assert (
            model.tapped_matrix("mlp.fc", 1, 1, ctx._replace(training=False)) is ctx.weights["blocks.1.mlp.fc.weight"]
        )


def test_statistics_are_left_out():
    """gptq's codes and hessian_sdclip's clips need inputs: training takes the nearest codes, and the plain clip."""
    entry = resolved("qat", "gptq", "hessian_sdclip").entry
    tap = entry[entry.index("weight_taps") :].split("\n\n")[0]
    assert "rounding=nearest_codes" in tap.replace("partial(nearest_codes)", "nearest_codes") and "taps=()" in tap
    assert "Gptq(" in entry


def wide(weight):
    """The rows of a small matrix so often that it is large enough to be quantized."""
    return weight.repeat(65536 // weight.numel() + 1, 1)


def test_late_qat_of_the_int6_scripts():
    case = load_case("Q6_iv_Q7_late_a")
    weight = case.inputs["W"].clone().requires_grad_()
    x = case.inputs["x"].clone().requires_grad_()
    used = fake_quantize(Int6Recipe(), "w", wide(weight))[: len(weight)]
    y = F.linear(x, used.to(x.dtype))
    y.backward(case.inputs["gy"])
    for name, found in (("train_y", y), ("train_grad_W", weight.grad), ("train_grad_x", x.grad)):
        # The exporter's step is float16, which moves a code on a tie.
        assert (found.float() - case.outputs[name].float()).norm() < 0.01 * case.outputs[name].float().norm(), name


def test_the_grid_without_a_floor():
    """The public form keeps the step in float32, the exporter stores float16: equal up to that, and to ties."""
    case = load_case("Q6_nrdepth_a")
    weight = case.inputs["W"].clone().requires_grad_()
    used = fake_quantize(RowMax(6, 65536), "w", wide(weight))[: len(weight)]
    (used * case.inputs["G"]).sum().backward()
    assert torch.equal(weight.grad, case.outputs["grad"])
    close = torch.isclose(used, case.outputs["W_fwd"], rtol=6e-4, atol=1e-7)
    assert close.float().mean() > 0.99


@pytest.mark.parametrize("name", ["Q7_switch_a", "Q7_switch_iter"])
def test_it_begins_at_the_step_of_the_public_script(name):
    case = load_case(name)
    progress = measure_progress(0, 10, 0.0, 0.0)
    on = [qat_starts(progress._replace(lr_mul=mul), case.params["threshold"]) for mul in case.outputs["mul"].tolist()]
    assert on.index(True) == case.outputs["first_step"].item()


def test_late_it_is_off_before_its_phase_and_the_switch_is_real():
    one = made("int6", late_qat_threshold=0.1)
    model = scramble(one.model)
    assert one.phases == ("qat",) and not one.program.phases[0].scoring
    ids, targets = tokens()
    losses = [model(ids, targets, phases=phases).item() for phases in ((), ("qat",))]
    assert losses[0] != losses[1]


@pytest.mark.slow
@pytest.mark.parametrize("exporter", ["int6", "gptq_lite", "sdclip"])
def test_one_graph_for_each_phase(exporter):
    one = made(exporter, late_qat_threshold=0.1)
    model = scramble(one.model)
    ids, targets = tokens()
    losses = [model(ids, targets, phases=phases).item() for phases in ((), ("qat",))]
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert [compiled(ids, targets, phases=phases).item() for phases in ((), ("qat",))] == losses


@pytest.mark.parametrize("other", ["factored_embedding", "fused_qkv", "swiglu", "iha", "bigram_hash_v1"])
def test_whatever_matrices_the_layers_have(other):
    """Matrices outside the layers are another exporter's; those inside have the class that their role begins with."""
    width = {"bigram_hash_v1": {"bigram_hash_dim": 24}, "factored_embedding": {"embed_dim": 24}}.get(other, {})
    made = built("qat", other, num_layers=2, **width)
    ids, targets = tokens()
    assert scramble(made.model)(ids, targets).isfinite()


def test_one_fake_quantization_is_enough():
    with pytest.raises(PgolfError, match="both fake-quantize"):
        resolved("qat", "bank_qat")
    assert resolved("qat", "ema").selection.warnings[0].startswith("qat and ema")


@pytest.mark.parametrize(("other", "sizes"), [("factored_embedding", {"embed_dim": 24}), ("bigram_hash_v1", {})])
def test_matrices_outside_of_layers_are_left_alone(other, sizes):
    made = built("qat", other, **sizes)
    assert made.model(*tokens()).isfinite()
