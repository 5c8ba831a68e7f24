"""What every first-party plugin must satisfy, one test per promise."""

import ast

import pytest
import torch
from lora import Lora
from models import built, registry, resolved, scramble, tokens

from pgolf.component import FAMILIES
from pgolf.manager import chain
from pgolf.runtime.ledger import Ledger
from pgolf.select import BASELINE

NAMES = sorted(name for name, loaded in registry().plugins.items() if loaded.origin == "pgolf")
FORWARD = [name for name in NAMES if registry().plugins[name].plugin.family == "architecture"] + ["bank_qat"]
# Sizes at which every plugin has something to do in a four-layer model.
SIZES = {
    "attn_out_gate_src": "q",
    "bigram_dim": 24,
    "bigram_vocab_size": 64,
    "loop_end": 2,
    "loop_start": 1,
    "num_loops": 1,
    "parallel_residual_start": 2,
    "parallel_start_layer": 2,
    "rope_dims": 8,
    "swa_full_attn_layers": 2,
    "swa_window": 4,
    "ttt_batch_size": 8,
    "ttt_chains": 2,
    "ttt_chunk_size": 8,
    "ttt_eval_seq_len": 32,
    "ttt_lora_rank": 4,
    "ttt_widths": 2,
    "ve_dim": 16,
    "ve_layers": "2,3",
    "xsa_last_n": 3,
}


def sizes(*names):
    """The settings of `SIZES` that these plugins, or what they bring, declare."""
    found = set()
    waiting, seen = list(names), set()
    while waiting:
        plugin = registry().plugins[waiting.pop()].plugin
        found |= {setting.name for setting in plugin.settings}
        waiting += set(plugin.requires) - seen
        seen |= {plugin.name, *plugin.requires}
    return {key: value for key, value in SIZES.items() if key in found}


def made_with(name):
    """A scrambled model with the baseline and one plugin, and its phases."""
    made = built(name, **sizes(name))
    scramble(made.model)
    return made, tuple(spec.name for spec in made.program.phases)


@pytest.mark.parametrize("name", NAMES)
def test_metadata_is_complete(name):
    loaded = registry().plugins[name]
    plugin, text = loaded.plugin, loaded.path.read_text()
    assert plugin.name == loaded.path.stem == name and plugin.family == loaded.path.parent.name in FAMILIES
    assert plugin.summary.endswith(".") and "\n" not in plugin.summary and plugin.source
    doc = ast.get_docstring(ast.parse(text)) or ""
    assert "Source:" in doc, "the docstring names the pull request or paper"
    assert all(setting.help and not setting.help.endswith(".") for setting in plugin.settings)
    assert all(
        other in registry().plugins for other in plugin.requires + plugin.replaces + plugin.before + plugin.after
    )
    assert all(conflict.name in registry().plugins and conflict.reason for conflict in plugin.conflicts)
    assert text.count("\n") < 150, "a plugin is one short file"


def test_no_plugin_breaks_while_loading():
    assert registry().problems == []


def test_baseline_is_plugins_and_nothing_else():
    assert set(resolved().selection.plugins) == {*BASELINE, "residual_scales"}
    assert chain(registry().plugins.values())


@pytest.mark.parametrize("name", NAMES)
def test_resolves_on_top_of_the_baseline(name):
    assert name in resolved(name, **sizes(name)).selection.plugins


@pytest.mark.parametrize("name", FORWARD)
def test_forward_works_in_every_mode(name):
    made, phases = made_with(name)
    ids, targets = tokens()
    model, seen = made.model, []
    for on in ((), phases):
        assert model.train()(ids, targets, phases=on).isfinite()
        model.eval()
        plain = model(ids, targets, phases=on, reduction="none")
        assert plain.shape == ids.shape and plain.isfinite().all()
        observed = model(ids, targets, phases=on, reduction="none", observe=lambda role, layer, x: seen.append(role))
        assert torch.equal(plain, observed), "calibration runs the same forward"
        if hasattr(model, "lm_head"):
            continue
        lora = Lora(model, made.program.layer_plan(on), 2, zero=True)
        assert torch.equal(plain, model(ids, targets, phases=on, reduction="none", adapter=lora))
    assert {"attn.c_q", "attn.c_k", "attn.c_v", "attn.proj", "mlp.fc", "mlp.proj", "head"} <= set(seen)


@pytest.mark.parametrize("name", FORWARD)
@torch.no_grad()
def test_scores_depend_on_the_past_alone(name):
    made, phases = made_with(name)
    made.model.eval()
    ids, targets = tokens()
    plain = made.model(ids, targets, phases=phases, reduction="none")
    for cut in (1, 7, 16, 31):
        changed = ids.clone()
        changed[:, cut:] = (changed[:, cut:] + 17) % 256
        scores = made.model(changed, targets, phases=phases, reduction="none")
        torch.testing.assert_close(scores[:, :cut], plain[:, :cut], rtol=1e-5, atol=1e-5)
        assert not torch.equal(scores[:, cut:], plain[:, cut:])


@pytest.mark.parametrize("name", FORWARD)
def test_gradient_reaches_every_parameter(name):
    made, phases = made_with(name)
    ids, targets = tokens()
    made.model(ids, targets, phases=phases).backward()
    idle = [key for key, tensor in made.model.named_parameters() if tensor.grad is None or not tensor.grad.any()]
    # Layer 0 gives its values away and adds nothing to its own: its share has no use, as in the public script.
    assert idle == (["blocks.0.attn.vrl_alpha"] if name == "value_residual" else [])


@pytest.mark.parametrize("name", FORWARD)
def test_compiles_to_one_graph(name):
    made, phases = made_with(name)
    ids, targets = tokens()
    torch._dynamo.reset()
    compiled = torch.compile(made.model, backend="eager", dynamic=False, fullgraph=True)
    counters = torch._dynamo.utils.counters
    counters.clear()
    for _ in range(2):
        assert torch.equal(compiled(ids, targets, phases=phases), made.model(ids, targets, phases=phases))
    assert counters["stats"]["unique_graphs"] == 1 and not counters["graph_break"]


@pytest.mark.parametrize("name", [name for name in FORWARD if name not in ("uniform_init", "ortho_init", "banks")])
def test_forward_leaves_a_receipt(name):
    if name in ("layer_matrices", "residual_scales"):
        made, phases = made_with(name)
        assert any(record.plugin == name for record in made.parameters), "its receipt is the tensors it declares"
        return
    made, phases = made_with(name)
    ids, targets = tokens()
    ledger = Ledger()
    made.model(ids, targets, phases=phases, ledger=ledger)
    assert ledger.receipt(name)
