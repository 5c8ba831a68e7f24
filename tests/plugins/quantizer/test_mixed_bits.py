"""The plan across tensors: golden classes, and that the artifact remembers them."""

import hashlib
from types import SimpleNamespace

import pytest
import torch
from micro import micro, run_program
from models import registry, resolved
from pipeline_vectors import load_case

from pgolf.errors import PgolfError
from pgolf.recipe import Recipe
from pgolf.resolve import resolve
from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.quantize import SpreadRecipe, nearest_codes
from pgolf.runtime.records import Param
from pgolf.submission import smoke_recipe
from pgolf_plugins.quantizer.mixed_bits import TracePlan


def test_golden_classes():
    case = load_case("Q18_mixed_bits_a")
    ranges = case.expected["clip_ranges"]
    state = {name: case.inputs[f"w:{name}"] for name in ranges}
    statistics = {name: {"hessian": torch.diag(case.inputs[f"d:{name}"])} for name in ranges}
    plan, ledger = TracePlan(case.params["n_int6"], tuple(case.params["recur_layers"])), Ledger()
    found = plan(state, statistics, ledger)
    assert {name: 15 if name in found else 31 for name in ranges} == ranges
    assert ledger.receipt("mixed_bits") == f"{len(ranges) - case.params['n_int6']} matrices with fewer bits"


def test_small_matrices_and_others_than_layers_do_not_count():
    eye = {"hessian": torch.eye(300)}
    state = {"tok_emb.weight": torch.ones(300, 300), "blocks.0.attn.c_q.weight": torch.ones(30, 300)}
    assert TracePlan(0, ())(state, dict.fromkeys(state, eye), Ledger()) == {}


def test_the_artifact_remembers_the_classes():
    """The decoder has neither statistics nor a plan that ran: what differs from the record is a part of the tensor."""
    records = (Param("blocks.{}.mlp.fc.weight", (300, 300), "matrix", "mlp", layers=3),)
    state = {name: torch.randn(300, 300) for name in records[0].stored_names()}
    tops = (("low", 3, 3), ("mlp", 6, 31))
    recipes = {key: SpreadRecipe(key, f"int{bits}", top, 12.85, (), nearest_codes) for key, bits, top in tops}
    program = SimpleNamespace(
        tensor_recipes=recipes,
        fit=None,
        corrections=(),
        tensor_transforms=(),
        grouped=(),
        quantization_plan=(TracePlan(1, ()),),
    )
    statistics = {name: {"hessian": (index + 1) * torch.eye(300)} for index, name in enumerate(state)}
    encoded = encode_model(state, records, program, statistics, Ledger())
    assert ["class" in encoded[name] for name in state] == [True, True, False]
    assert [encoded[name]["codes"].abs().max().item() <= 3 for name in state] == [True, True, False]
    found = {name: torch.zeros(300, 300) for name in state}
    program.quantization_plan = (pytest.fail,)
    decode_model(encoded, found, records, program)
    errors = [(found[name] - state[name]).square().mean().item() for name in state]
    assert errors[0] > 50 * errors[2] and errors[1] > 50 * errors[2]
    encoded["blocks.0.mlp.fc.weight"]["class"] = torch.tensor(7, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"blocks.0.mlp.fc.weight cannot be decoded"):
        decode_model(encoded, found, records, program)


@pytest.mark.ci
def test_the_artifact_of_all_quantizer_plugins_can_be_made_again_from_what_a_run_saves(tmp_path, micro_data):
    path = tmp_path / "entry.py"
    path.write_text(micro("gptq", "hessian_sdclip", "lqer", "mixed_bits", "banks").entry)
    run = run_program(path, tmp_path / "run", micro_data)
    artifact = run.folder / "final_model.int6.ptz"
    first = hashlib.sha256(artifact.read_bytes()).hexdigest()
    artifact.unlink()
    again = run_program(path, tmp_path / "run", micro_data, "export")
    assert run.status == again.status == 0, again.output
    assert hashlib.sha256(artifact.read_bytes()).hexdigest() == first
    receipts = [text for text in run.lines if text.startswith(("receipt gptq", "receipt lqer", "receipt mixed_bits"))]
    assert len(receipts) == 3 and set(receipts) <= set(again.lines)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"low_bits": 9}, "low_bits is 9"),
        ({"low_clip_sigmas": 0}, "low_clip_sigmas is 0"),
        ({"int6_layers": "4"}, "int6_layers is '4', wanted layer numbers below 4"),
        ({"int6_layers": "x"}, "int6_layers is 'x'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, complaint):
    with pytest.raises(PgolfError, match=complaint):
        resolved("mixed_bits", **settings)


def test_at_smoke_size_some_matrices_have_fewer_bits():
    """A smoke run with a plugin that has nothing to do ends with an error, as that of PR #1204 did."""
    made = resolve(smoke_recipe(Recipe("small", layers=(("mixed_bits", "gptq"),)), registry()), registry())
    shapes = {name: param.shape for _, param in made.params for name in param.stored_names()}
    state = {name: torch.empty(shape) for name, shape in shapes.items() if len(shape) == 2}
    statistics = {name: {"hessian": torch.ones(1, 1)} for name in state}
    keep = made.selection.settings.n_int6_layers
    assert 0 < len(TracePlan(keep, ())(state, statistics, Ledger())) < len(state)
