"""Where matrices meet activations: input taps and who sees their result."""

from pathlib import Path

import torch
from lora import Lora
from models import TINY, Case, scramble, tokens

from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import load_entry, resolve
from pgolf.runtime.layers import rms_norm
from pgolf.runtime.model import GPT

SAMPLES = Path(__file__).parents[1] / "sample_plugins"


def rounding_model():
    """A scrambled model whose matrices read activations on a grid of 1/16, and its plan."""
    recipe = Recipe("test", layers=(("coarse_inputs",),), settings=TINY)
    entry = load_entry(resolve(recipe, load_registry([SAMPLES])).entry)
    program = entry.make_program()
    model = GPT(entry.SETTINGS, program, entry.make_parameters(), torch.device("cpu"), torch.float32)
    return scramble(model), program.layer_plan(())


def on_grid(x):
    return torch.equal(x * 16, (x * 16).round())


def test_calibration_and_adapters_see_what_the_matrix_multiplies():
    model, plan = rounding_model()
    ids, targets = tokens()
    seen = {}

    class Watcher(Lora):
        def delta(self, x, site, position):
            seen["delta", site] = on_grid(x)
            return super().delta(x, site, position)

    def observe(role, layer, x):
        seen["observed", role] = on_grid(x)

    model(ids, targets, observe=observe, adapter=Watcher(model, plan, 2, zero=True))
    off = {site for kind, site in seen if not seen[kind, site]}
    assert off == {"head", "attn", "mlp"}, "branches read the stream itself, and this tap leaves the head alone"
    assert ("observed", "attn.c_q") in seen and ("delta", "mlp.proj") in seen


def test_the_tap_gives_the_inputs_of_layers_and_of_the_head_with_their_places():
    model, _ = rounding_model()
    ids, targets = tokens()
    calls = []

    def tap(owner, x, role, layer, position, ctx):
        assert owner is model
        calls.append((role, layer, position))
        return x

    object.__setattr__(model, "program", model.program._replace(matrix_inputs=(tap,)))
    model(ids, targets)
    roles = ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj")
    assert calls == [(role, layer, layer) for layer in range(4) for role in roles] + [("head", 0, 0)]


def test_the_norm_has_the_epsilon_of_the_public_scripts():
    """Rows down to a deviation of 1e-6, where epsilon decides; bfloat16 input has the same epsilon and gives bfloat16."""
    case = Case("unit_rope", "rms_eps")
    case.check("y", rms_norm(case.inputs["x"]))
    found = rms_norm(case.inputs["x_bf16"].bfloat16())
    assert found.dtype == torch.bfloat16
    case.check("y_from_bf16", found.float())
