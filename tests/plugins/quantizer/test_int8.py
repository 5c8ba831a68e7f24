from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pipeline_vectors import load_case

from pgolf.runtime.export import decode_model, encode_model
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import ones
from pgolf.runtime.records import Param
from pgolf_plugins.quantizer.int8 import Int8Recipe, int8_grid, tensor_recipes


@pytest.mark.parametrize("name", ["Q1_int8_row_a", "Q1_int8_vector"])
def test_codes_and_steps(name):
    case = load_case(name)
    codes, step = int8_grid(case.inputs["W"])
    assert torch.equal(codes, case.outputs["q"])
    assert step.dtype == (torch.float16 if codes.ndim == 2 else torch.float32)
    assert torch.equal(step.float(), case.outputs["scale"].float())
    restored = Int8Recipe(True).decode("w", {"codes": codes, "step": step}, torch.float32)
    torch.testing.assert_close(restored, case.outputs["dequant"], rtol=1e-6, atol=0)


def test_the_quantile_is_interpolated():
    """The same grid with numpy's quantile, row by row."""
    weight = torch.randn(5, 700, generator=torch.Generator().manual_seed(2)) * torch.tensor([[0.1], [1], [2], [5], [0]])
    codes, step = int8_grid(weight)
    for row, found, stored in zip(weight.numpy(), codes.numpy(), step.numpy(), strict=True):
        clip = np.float32(np.quantile(np.abs(row).astype(np.float64), 0.9999984))
        expected = max(clip / np.float32(127), np.float32(1 / 127))
        assert stored == pytest.approx(expected, rel=1e-3)
        difference = found - np.round(np.clip(row, -clip, clip) / expected)
        assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 0.01


@pytest.mark.parametrize(("value", "step"), [(0.0, 1.0), (2.54, 0.02)])
def test_one_step_for_anything_but_a_matrix(value, step):
    codes, found = int8_grid(torch.full((2, 3, 4), value))
    assert found.ndim == 0 and found.item() == pytest.approx(step)
    assert codes.unique().tolist() == ([0] if value == 0 else [127])


@pytest.mark.parametrize(("half", "dtype"), [(True, torch.float16), (False, torch.float32)])
def test_small_tensors_are_kept(half, dtype):
    ledger, recipe = Ledger(), Int8Recipe(half)
    limit, beyond = torch.full((256, 256), 0.1), torch.full((256, 257), 0.1)
    parts = recipe.encode("w", limit, {}, ledger)
    assert parts["kept"].dtype == dtype
    assert recipe.decode("w", parts, torch.bfloat16).dtype == torch.bfloat16
    assert sorted(recipe.encode("w", beyond, {}, ledger)) == ["codes", "step"]
    assert ledger.receipt("int8") == "1 tensors kept, 1 tensors quantized"


def test_every_class_has_a_recipe():
    recipes = tensor_recipes(None)
    assert sorted(recipes) == ["attn", "aux", "control", "embed", "head", "mlp"]
    assert {name for name, recipe in recipes.items() if not recipe.arguments["half"]} == {"control"}


def test_a_whole_state_goes_through_the_export():
    """Classes as the baseline's name patterns assign them; a model's tensors are floats, so "counter" is left out."""
    case = load_case("Q1_state_dict_a")
    state = {name: tensor for name, tensor in case.inputs.items() if tensor.is_floating_point()}
    classes = {"tok_emb.weight": "embed", "blocks.0.attn_scale": "control", "skip_weights": "control"}
    records = tuple(
        Param(name, tuple(tensor.shape), "scalar", classes.get(name, "attn"), ones, "test")
        for name, tensor in state.items()
    )
    recipes = {name: recipe.target(**recipe.arguments) for name, recipe in tensor_recipes(None).items()}
    program = SimpleNamespace(
        tensor_recipes=recipes, fit=None, quantization_plan=(), corrections=(), tensor_transforms=(), grouped=()
    )
    encoded = encode_model(state, records, program, {}, Ledger())
    restored = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    decode_model(encoded, restored, records, program)
    for name in state:
        routed = "int8" if "codes" in encoded[name] else f"kept:{encoded[name]['kept'].dtype}"
        assert routed == case.expected["routing"][name]
        assert str(restored[name].dtype) == case.expected["restored_dtypes"][name]
        for prefix, found in (("q", encoded[name].get("codes")), ("scale", encoded[name].get("step"))):
            if f"{prefix}:{name}" in case.outputs:
                assert torch.equal(found, case.outputs[f"{prefix}:{name}"])
        if f"kept:{name}" in case.outputs:
            assert torch.equal(encoded[name]["kept"], case.outputs[f"kept:{name}"])
        if f"deq:{name}" in case.outputs:
            torch.testing.assert_close(restored[name], case.outputs[f"deq:{name}"], rtol=1e-6, atol=0)
