"""Head mixtures against the public script, unfolded and folded, and what the fold leaves behind."""

import math

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.attention import attention_branch
from pgolf.runtime.context import Context
from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state

PLUGINS = ("iha", "leaky_relu2", "ln_scale", "parallel_residual", "partial_rope", "skip_gates", "xsa")


def state_of(made):
    return canonical_state(made.model.state_dict(), made.parameters)


@pytest.mark.parametrize(("name", "heads", "kv"), [("h4_kv2_v0", 4, 2), ("h2_kv2_v0", 2, 2), ("h4_kv4_v1", 4, 4)])
def test_attention_and_folded_matrices_match_the_public_script(name, heads, kv):
    case = Case("unit_attention_variants", f"iha_{name}")
    sizes = {"num_layers": 2, "model_dim": 32, "num_heads": heads, "num_kv_heads": kv}
    made = built("iha", **sizes, iha_mix_v=name.endswith("v1"))
    model = made.model
    model.blocks[0].attn.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    ctx = Context(None, (), True, model.matrices(), {}, {}, None, None, None)
    case.check("y", attention_branch(model, case.inputs["x"], 0, 0, ctx).detach())
    made.program.folds[0](state_of(made), Ledger())
    for part in "qkv"[: 2 + name.endswith("v1")]:
        case.check(f"W_{part}_folded", model.get_parameter(f"blocks.0.attn.c_{part}.weight").detach())


def test_a_whole_model_matches_the_public_script_before_and_after_the_fold():
    case, folded = (Case("model_fork_iha", name) for name in ("iha_3L", "iha_3L_fold"))
    made = built(*PLUGINS, num_layers=3, rope_dims=8, parallel_residual_start=2)
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    ids, targets = case.inputs["input_ids"].long(), case.inputs["target_ids"].long()
    mean = made.model(ids, targets)
    mean.backward()
    case.check("mean_loss", mean.detach())
    case.check("per_token_loss", made.model(ids, targets, reduction="none").detach())
    tensors = dict(made.model.named_parameters())
    for key, wanted in zip(case.record["grad_norm_names"], case.outputs["grad_norm"].tolist(), strict=True):
        assert math.isclose(tensors[key].grad.norm().item(), wanted, rel_tol=5e-4, abs_tol=1e-6), key
    made.program.folds[0](state_of(made), Ledger())
    for key in [key for key in folded.outputs if key.startswith("folded.")]:
        folded.check(key, made.model.get_parameter(key.removeprefix("folded.")).detach())
    folded.check("mean_loss_after_fold", made.model(ids, targets).detach())


@pytest.mark.parametrize("layout", [(), ("banks",)])
@torch.no_grad()
def test_the_artifact_knows_nothing_of_mixtures_and_means_the_same(layout):
    made, ledger = built("iha", *layout), Ledger()
    scramble(made.model).eval()
    ids, targets = tokens()
    before = made.model(ids, targets, reduction="none")
    state = state_of(made)
    made.program.folds[0](state, ledger)
    torch.testing.assert_close(made.model(ids, targets, reduction="none"), before, rtol=1e-4, atol=1e-4)
    kept_state = {key: value.clone() for key, value in state.items()}
    encoded = encode_model(kept_state, made.parameters, made.program, {}, ledger)
    assert not [name for name in encoded if name.endswith(("q_mix", "k_mix"))]
    kept = made.model(ids, targets)
    for tensor in state.values():
        tensor.zero_()
    decode_model(encoded, state, made.parameters, made.program)
    made.program.folds[0].restore(state)
    torch.testing.assert_close(made.model(ids, targets), kept, rtol=1e-2, atol=1e-2)
    assert torch.equal(state["blocks.3.attn.q_mix"], torch.eye(4))


def test_mixing_comes_before_fake_quantization_and_mixtures_are_not_adapted():
    made = built("iha", "bank_qat")
    assert type(made.program.weight_taps[0]).__name__ == "HeadMixer"
    mixes = [record for record in made.parameters if record.name.endswith(("q_mix", "k_mix"))]
    assert {(record.adapt, record.export, record.group) for record in mixes} == {(False, "drop", "scalar")}


def test_it_starts_as_the_identity():
    mixed, plain = built("iha", iha_mix_v=True), built()
    ids, targets = tokens()
    assert torch.equal(mixed.model(ids, targets), plain.model(ids, targets))
    with pytest.raises(PgolfError, match="mixtures need matrices"):
        resolved("iha", "fused_qkv")
