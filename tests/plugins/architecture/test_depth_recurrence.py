"""Mini depth recurrence against the public plans, and when it begins."""

import json

import numpy
import pytest
import torch
from models import VECTORS, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.progress import measure_progress

FILE = VECTORS / "model" / "unit_plans"
CASES = {case["case"]: case for case in json.loads(FILE.with_suffix(".json").read_text())["cases"]}


@pytest.mark.parametrize("name", ["pr1204_L11_recur4-5", "pr1204_L6_recur2-3", "pr1204_L11_recur5"])
def test_the_plan_is_that_of_the_public_script(name):
    arrays, sizes = numpy.load(FILE.with_suffix(".npz")), CASES[name]["hyperparameters"]
    layers = ",".join(map(str, sizes["recur_layers"]))
    made = built("depth_recurrence", num_layers=sizes["num_layers"], recur_layers=layers)
    encoder, decoder = made.program.layer_plan(("recurrence",))
    assert [*encoder, *decoder] == arrays[f"{name}.out.v2p"].tolist()
    assert len(encoder) == arrays[f"{name}.out.num_encoder"].item()
    assert made.model.skip_weights.shape[0] == arrays[f"{name}.out.num_skip_weights"].item()


def test_before_its_step_the_plan_is_the_plain_one():
    made = built("depth_recurrence", recur_layers="1,2", recur_start_step=30)
    assert made.program.layer_plan(()) == built().program.layer_plan(())
    (spec,) = made.program.phases
    assert [spec.start(measure_progress(step, 100, 0.0, 0.0)) for step in (29, 30, 31)] == [False, True, True]
    assert spec.scoring


@pytest.mark.parametrize("text", ["4", "", "1,1", "1,x", "1,,2"])
def test_bad_layers_are_refused(text):
    with pytest.raises(PgolfError, match=r"recur_layers is .*, wanted different layer numbers below 4"):
        resolved("depth_recurrence", recur_layers=text)


NUMBERED = ("banks", "ln_scale", "leaky_relu2", "skip_gates", "two_lanes_v1", "value_embedding", "xsa")
PLACED = {"ve_layers": "3,4", "ve_dim": 16, "xsa_last_n": 5}
ORDER = [0, 1, 2, 1, 2, 3, 4]


def numbered(**settings):
    quirk = {"quirk_virtual_index": True, "recur_layers": "1,2", "parallel_start_layer": 3}
    return built(*NUMBERED, "depth_recurrence", num_layers=5, **quirk, **PLACED, **settings)


def test_with_the_quirk_all_but_matrices_and_lanes_belongs_to_the_step():
    """It is the model of seven layers, of which some have the matrices and the factors of lanes of others."""
    quirk = numbered()
    seven = built(*NUMBERED, num_layers=7, parallel_start_layer=5, **PLACED)
    scramble(quirk.model)
    own = canonical_state(quirk.model.state_dict(), quirk.parameters)
    with torch.no_grad():
        for name, tensor in canonical_state(seven.model.state_dict(), seven.parameters).items():
            parts = name.split(".")
            if parts[0] == "blocks" and parts[-1] == "weight":
                tensor.copy_(own[".".join(["blocks", str(ORDER[int(parts[1])]), *parts[2:]])])
            else:
                tensor.copy_(own[name][ORDER] if "lambdas" in name else own[name])
    ids, targets = tokens()
    assert torch.equal(quirk.model(ids, targets, phases=("recurrence",)), seven.model(ids, targets))
    seen = []
    quirk.model(ids, targets, phases=("recurrence",), observe=lambda role, layer, x: seen.append((role, layer)))
    assert [layer for role, layer in seen if role == "attn.c_q"] == ORDER


def test_before_the_repeats_the_quirk_changes_what_counts_from_the_end_alone():
    """XSA covers the last of seven steps, of which there are five."""
    quirk, plain = numbered(), built(*NUMBERED, num_layers=5, parallel_start_layer=3, **{**PLACED, "xsa_last_n": 3})
    state = scramble(quirk.model).state_dict()
    ours = plain.model.state_dict()
    rows = {name: state[name][: len(tensor)] if tensor.dim() else state[name] for name, tensor in ours.items()}
    plain.model.load_state_dict(rows)
    ids, targets = tokens()
    assert torch.equal(quirk.model(ids, targets), plain.model(ids, targets))
    names = {name for name in quirk.model.state_dict() if name.startswith("blocks.")} - set(ours)
    assert names == {
        f"blocks.{n}.{part}" for n in (5, 6) for part in ("attn_scale", "mlp_scale", "resid_mix", "attn.q_gain")
    }


def test_the_quirk_goes_with_untied_repeats():
    """The repeats' own matrices are asked for by the step, whatever it is called."""
    made, seen = built("depth_recurrence", "untied_repeats", recur_layers="1,2", quirk_virtual_index=True), []
    made.model(*tokens(), phases=("recurrence",), observe=lambda role, layer, x: seen.append((role, layer)))
    assert [layer for role, layer in seen if role == "mlp.fc"] == [0, 1, 2, 4, 5, 3]


@pytest.mark.parametrize("name", ["fused_qkv", "two_lanes"])
def test_the_quirk_is_refused_beside_what_numbers_layers(name):
    with pytest.raises(PgolfError, match="quirk_virtual_index"):
        resolved("depth_recurrence", name, recur_layers="1,2", quirk_virtual_index=True)
