"""Ternary and, for what they share, binary matrices: the vectors, the forward, and a round trip that loses nothing."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import built, resolved, tokens
from pipeline_vectors import load_case

from pgolf.errors import PgolfError
from pgolf.runtime.export import decode_model, encode_model, pack_artifact, unpack_artifact
from pgolf.runtime.group_codes import decoded_codes, group_codes, norm_outputs, scaled_codes, use_codes
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.testing import scramble, tiny_context


def trits(packed, count):
    """Codes of a base-3 stream: five in a byte, the first one least significant."""
    return np.stack([packed.astype(int) // 3**place % 3 for place in range(5)], 1).flatten()[:count] - 1


@pytest.mark.parametrize("name", ["Q24_ternary_standard_g128", "Q24_ternary_standard_pad"])
def test_codes_scales_and_decoded_weights_are_those_of_the_record(name):
    case = load_case(name)
    weight, size = case.inputs["w"], case.params["group"]
    codes, scale = group_codes(weight, size, binary=False)
    assert torch.equal(scale.flatten(), case.outputs["w.scale"])
    entry = case.expected["entries"]["w"]
    wanted = trits(case.outputs["w.packed"].numpy(), entry["n_trits"]).reshape(len(weight), entry["padded_cols"])
    assert (codes.numpy() == wanted[:, : weight.shape[1]]).all() and not wanted[:, weight.shape[1] :].any()
    assert torch.equal(decoded_codes(codes, scale, size).bfloat16(), case.outputs["deq:w"])


@pytest.mark.parametrize("kind", ["Ternary", "Binary"])
@pytest.mark.parametrize("normed", [False, True])
def test_the_layer_is_that_of_the_record(kind, normed):
    """There in bfloat16, here in float32: equal but for codes on a tie."""
    case = load_case(f"Q24_Q25_{'Normed' * normed}{kind}Linear_a")
    weight = case.inputs["W"].clone().requires_grad_()
    x = case.inputs["x"].float().requires_grad_()
    ctx, role = tiny_context(), "attn.proj" if normed else "mlp.fc"
    used = use_codes(None, weight, role, 0, 0, ctx, plugin="it", size=128, binary=kind == "Binary")
    y = F.linear(norm_outputs(None, x, role, 0, 0, ctx), used)
    y.backward(case.inputs["gy"].float())
    for key, found in (("y", y), ("grad_W", weight.grad), ("grad_x", x.grad)):
        wanted = case.outputs[key].float()
        assert (found - wanted).norm() < 0.03 * wanted.norm(), key


def test_the_round_trip_of_the_record_loses_and_ours_does_not():
    """Rounded to bfloat16, decoded weights have other scales than were stored; in float32 they have the same."""
    case = load_case("Q24_roundtrip_a")
    weight, size = case.inputs["W"], case.params["group"]
    codes, scale = group_codes(weight, size, binary=False)
    before, decoded = scaled_codes(codes, scale, size), decoded_codes(codes, scale, size)
    wanted = case.outputs["loaded"].float()
    # The record made its codes of weights in bfloat16, so a few on the edge of a code differ.
    assert (torch.isclose(decoded, wanted, rtol=0.01, atol=1e-6)).float().mean() > 0.99
    assert torch.equal(scaled_codes(*group_codes(decoded, size, binary=False), size), before)
    assert case.outputs["n_diff"].item() > 0


@pytest.mark.parametrize(
    ("plugin", "other"), [("ternary", ""), ("binary", ""), ("ternary", "fused_qkv"), ("ternary", "swiglu")]
)
def test_the_artifact_scores_like_the_trained_model(plugin, other):
    """Groups of 24 do not fill rows of 64: the last one is filled up, and the forward still finds the same scales."""
    made = built(plugin, *filter(None, [other]), num_layers=2, bitnet_group_size=24)
    model = scramble(made.model).eval()
    ids, targets = tokens()
    state = canonical_state(model.state_dict(), made.parameters)
    for name, tensor in state.items():
        # What is kept in float16 should not be what differs.
        if not name.endswith(
            ("c_q.weight", "c_k.weight", "c_v.weight", "fc.weight", "proj.weight", "c_qkv.weight", "gate_up.weight")
        ):
            tensor.copy_(tensor.half())
    before = model(ids, targets).item()
    encoded = encode_model(state, made.parameters, made.program, {}, Ledger())
    data = pack_artifact(encoded, made.program, Ledger())
    matrices = [parts for name, parts in encoded.items() if "scale" in parts]
    assert len(matrices) == {"fused_qkv": 8}.get(other, 12) and all(
        parts["codes"].abs().max() <= 1 for parts in matrices
    )
    used = canonical_state({key: value.clone() for key, value in model.state_dict().items()}, made.parameters)
    for tensor in state.values():
        tensor.zero_()
    decode_model(unpack_artifact(data, state, made.program), state, made.parameters, made.program)
    assert model(ids, targets).item() == pytest.approx(before, abs=2e-5)
    assert any(not torch.equal(state[name], used[name]) for name in state)


def test_what_does_not_go_with_it_is_refused():
    for other in ("ema", "muon_weight_decay", "qat"):
        with pytest.raises(PgolfError, match=f"ternary and {other}|{other} and ternary"):
            resolved("ternary", other)
    assert "ema" in resolved("binary", "ema").selection.warnings[0]


@pytest.mark.parametrize("names", [("fused_qkv",), ("swiglu",)])
def test_fused_matrices_are_ternary_too(names):
    """In the forward, where rounding them beforehand then changes nothing, and in the artifact."""
    made = built("ternary", *names, bitnet_group_size=32)
    model = scramble(made.model)
    before = model(*tokens())
    recipe = made.program.tensor_recipes["attn"]
    role = "attn.c_qkv" if "fused_qkv" in names else "mlp.gate_up"
    name = f"blocks.1.{role}.weight"
    weight = model.get_parameter(name)
    parts = recipe.encode(name, weight.detach(), {}, Ledger())
    assert "codes" in parts
    with torch.no_grad():
        weight.copy_(recipe.decode(name, parts, torch.float32))
    torch.testing.assert_close(model(*tokens()), before, rtol=1e-4, atol=1e-3)
