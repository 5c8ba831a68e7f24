"""What every first-party plugin must satisfy, one test per promise."""

import functools
from pathlib import Path

import pytest
import torch
from lora import Lora
from models import registry, resolved, tokens

from pgolf.manager import chain
from pgolf.runtime.ledger import Ledger
from pgolf.select import BASELINE
from pgolf.testing import PluginCase
from pgolf.testing.checks import (
    check_causality,
    check_compiles,
    check_every_mode,
    check_gradients,
    check_metadata,
    check_resolves,
)

NAMES = sorted(name for name, loaded in registry().plugins.items() if loaded.origin == "pgolf")
FORWARD = [name for name in NAMES if registry().plugins[name].plugin.family == "architecture"] + ["bank_qat"]
# Sizes at which every plugin has something to do in a four-layer model.
SIZES = {
    "attn_out_gate_src": "q",
    "bank_split": 2,
    "bigram_dim": 24,
    "bigram_vocab_size": 64,
    "bigram_hash_buckets": 64,
    "bigram_hash_dim": 24,
    "clip_mult_early": 1.1,
    "clip_mult_late": 1.1,
    "int4_layers": "1,2",
    "embed_dim": 24,
    "embedding_dim": 24,
    "loop_end": 2,
    "loop_start": 1,
    "num_loops": 1,
    "parallel_residual_start": 2,
    "parallel_start_layer": 2,
    "recur_layers": "1,2",
    "rope_dims": 8,
    "quirk_stretched_training": True,
    "rope_train_seq_len": 16,
    "seq_len_start": 16,
    "swa_full_attn_layers": 2,
    "swa_window": 4,
    "etlb_chunk_tokens": 96,
    "temperature_tokens": 512,
    "ttt_batch_size": 8,
    "ttt_chains": 2,
    "ttt_chunk_size": 8,
    "ttt_chunk_tokens": 96,
    "ttt_eval_seq_len": 32,
    "ttt_lora_rank": 4,
    "ttt_widths": 2,
    "ve_dim": 16,
    "ve_layers": "2,3",
    "xsa_last_n": 3,
}


IDLE = {
    # Layer 0 gives its values away and adds nothing to its own: its share has no use, as in the public script.
    "value_residual": ("blocks.0.attn.vrl_alpha",),
    # What belongs to an attention that does not run.
    "disable_layer0_attn": ("blocks.0.attn_scale", "blocks.0.attn.q_gain"),
}
"""Tensors that no gradient reaches."""


def sizes(*names):
    """The settings of `SIZES` that these plugins, or what they bring, declare."""
    found = set()
    waiting, seen = list(names), set()
    while waiting:
        plugin = registry().plugins[waiting.pop()].plugin
        found |= {setting.name for setting in plugin.settings}
        required = {other.partition("|")[0] for other in plugin.requires}
        waiting += required - seen
        seen |= {plugin.name, *required}
    return {key: value for key, value in SIZES.items() if key in found}


@functools.cache
def case(name):
    """The plugin alone on top of the baseline; nothing here runs a whole program."""
    return PluginCase(name, Path("unused"), **sizes(name))


@pytest.mark.parametrize("name", NAMES)
def test_metadata_is_complete(name):
    check_metadata(case(name))
    loaded = registry().plugins[name]
    assert loaded.plugin.name == loaded.path.stem == name and loaded.plugin.family == loaded.path.parent.name
    assert loaded.path.read_text().count("\n") <= 150, "a plugin is one short file"


def test_no_plugin_breaks_while_loading():
    assert registry().problems == []


def test_baseline_is_plugins_and_nothing_else():
    assert set(resolved().selection.plugins) == {*BASELINE, "residual_scales"}
    assert chain(registry().plugins.values())


@pytest.mark.parametrize("name", NAMES)
def test_resolves_on_top_of_the_baseline(name):
    check_resolves(case(name))


@pytest.mark.parametrize("check", [check_every_mode, check_causality], ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", FORWARD)
def test_the_forward_keeps_its_promises(name, check):
    check(case(name))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "xsa" else pytest.mark.ci) for name in FORWARD]
)
def test_the_forward_is_one_graph(name):
    check_compiles(case(name))


@pytest.mark.parametrize("name", FORWARD)
def test_a_zero_adapter_changes_nothing(name):
    made = case(name).model()
    ids, targets = tokens()
    made.model.eval()
    for phases in ((), made.phases):
        plain = made.model(ids, targets, phases=phases, reduction="none")
        lora = Lora(made.model, made.program.layer_plan(phases), 2, zero=True)
        assert torch.equal(plain, made.model(ids, targets, phases=phases, reduction="none", adapter=lora))


@pytest.mark.parametrize("name", FORWARD)
def test_gradient_reaches_every_parameter(name):
    made = case(name).model()
    ids, targets = tokens()
    made.model(ids, targets, phases=made.phases).backward()
    idle = [key for key, tensor in made.model.named_parameters() if tensor.grad is None or not tensor.grad.any()]
    assert sorted(idle) == sorted(IDLE.get(name, ()))
    if name != "value_residual":
        check_gradients(case(name))


BEFORE_TRAINING = ("uniform_init", "ortho_init", "banks", "overtone_init", "resid_mix_phase")


@pytest.mark.parametrize("name", [name for name in FORWARD if name not in BEFORE_TRAINING])
def test_forward_leaves_a_receipt(name):
    made = case(name).model()
    if name in ("layer_matrices", "residual_scales"):
        assert any(record.plugin == name for record in made.parameters), "its receipt is the tensors it declares"
        return
    ids, targets = tokens()
    ledger = Ledger()
    made.model(ids, targets, phases=made.phases, ledger=ledger)
    assert ledger.receipt(name)
