"""The test that keeps the bundler honest: for every plugin and recipe, live and built agree bit for bit.

Losses of every backward pass by `float.hex`, the trained weights, the artifact's SHA-256 and the BPB, on the CPU. The
default run covers a few recipes; the slow run all, which together hold every plugin, and every plugin on its own. CI runs
all recipes.
"""

import pytest
from equality import live_and_built
from lrzip_program import needs_lrzip
from micro import micro
from models import registry
from test_plugin_contracts import NAMES
from zstandard_package import needs_zstandard

LATE = ("row_normalize", "polar_express", "warmdown_frac", "weight_decay_taper", "stochastic_weight_average", "normuon")
OFF = ("neo_muon", "gram_newton_schulz", "lawa", "cautious_weight_decay", "block_lars")
FLAGS = ("gated_attention", "value_residual", "swa", "banks", "grad_clip", "paired_muon", "weight_decay_schedule")
FLAGS = (*FLAGS, "split_matrix_lr", "adam_stream")
PR1019 = ("banks", "bigram_hash", "ema", "int6", "leaky_relu2", "ln_scale", "lzma", "muon_weight_decay", "ortho_init")
PR1019 = (*PR1019, "partial_rope", "sliding_eval", "smear_gate", "value_embedding", "xsa", "grad_clip")
RECIPES = {
    "baseline": (),
    "gptq": ("gptq", "hessian_sdclip", "sdclip", "train_calibration", "hessian_all_reduce", "layer_loop", "ntk_rope"),
    "trellis": ("trellis", "sensitivity", "fit_price", "layer_loop", "qat", "promote"),
    "mixed": (
        "fit_clips",
        "gptq",
        "lqer",
        "mixed_bits",
        "lane_merge",
        "banks",
        "smear_gate_v1",
        "bigram_hash_v1",
        "document_starts",
    ),
    "three": ("swa", "bank_qat", "pko", "caseops", "paired_muon", "fused_mlp"),
    "pr1019": (*PR1019, "document_starts"),
    "loops": (
        "layer_loop",
        "parallel_residual",
        "skip_gates",
        "step_clock",
        "untied_head",
        "brotli",
        "pko",
        "document_shuffle_loader",
        "overtone_init",
    ),
    "lanes": ("banks", "layer_loop", "skip_gates", "two_lanes", "smear_gate_v3", "sparse_attention_gate", "xsa"),
    "outgate": ("smear_gate_v3", "attention_output_gate", "gptq_lite", *LATE),
    "dense": ("two_lanes", "quant_gate", "document_numbers", "row_max", "noisy_qat", "selective_prune", *OFF),
    "flags": FLAGS,
    "groups": ("pergroup", "clip_search", "yarn_rope"),
    "packed": ("zstd", "bitmask"),
    "ttt": ("lora_ttt", "step_clock", "swa", "fused_qkv", "paired_head_attention"),
    "chunks": ("sgd_ttt", "sliding_eval", "temperature"),
    "alone": ("isolated_eval", "ngram_tilt", "smear_gate_v3"),
    "narrow": (
        "swiglu",
        "factored_embedding",
        "disable_layer0_attn",
        "dtg_gate",
        "differential_attention",
        "resid_mix_phase",
        "etlb",
    ),
    "phases": (
        "phased_ttt",
        "lora_muon",
        "smear_gate_v3",
        "two_lanes_v1",
        "iha",
        "mlp_output_gate",
        "embedding_projections",
    ),
    "losses": (
        "mtp",
        "mtp_tied",
        "z_loss",
        "vocab_bias",
        "asymmetric_logits",
        "poly_softcap",
        "shuffled_loader",
        "progressive_loop",
        "discriminative_ttt",
    ),
    "weighted": ("sigmoid_rescale", "byte_weighted_loss", "coprime_loader", "untied_repeats", "context_coder"),
    "fused": ("fused_cross_entropy", "document_packing_loader", "batch_shape_schedule", "block_smear"),
}
# Quantizers beside techniques that they do not touch.
QUANTIZERS = {
    "gptq": ("layer_clips",),
    "flags": ("soft_round",),
    "lanes": ("binary", "bit_pack"),
    "loops": ("ternary", "fp_storage", "base3"),
    "mixed": ("hadamard_rotation", "magnitude_prune", "promote", "self_calibration"),
    "ttt": ("coarse_int8", "qat", "fp16_keep"),
}
RECIPES = {name: (*names, *QUANTIZERS.get(name, ())) for name, names in RECIPES.items()}
SETTINGS = {
    "groups": {"model_dim": 288},
    "dense": {"gram_symmetric": True},
    "gptq": {"eval_num_loops": 2},
    "weighted": {"quirk_virtual_index": True},
    "losses": {"ttt_ns_steps": 2, "ttt_layer_decay": 0.5},
}
"""Where tensors of up to 65,536 elements, which quantizers keep as they are, would leave a plugin nothing to do; and forms that
are off by default."""
QUICK = ("baseline", "three", "pr1019")
REASONS = {name: [pytest.mark.ci] for name in RECIPES if name not in QUICK}
REASONS["groups"].append(needs_lrzip)
REASONS["packed"].append(needs_zstandard)
NEEDED = {"lrzip": needs_lrzip, "pergroup": needs_lrzip, "zstd": needs_zstandard}


def compare(names, tmp_path, data, **settings):
    live, built = live_and_built(micro(*names, **settings), tmp_path, data)
    assert live["losses"] and live["final"]
    for key in ("losses", "state", "artifact", "final"):
        assert live[key] == built[key], key


@pytest.mark.parametrize("name", [pytest.param(name, marks=REASONS.get(name, ())) for name in RECIPES])
def test_recipe_is_the_same_live_and_built(name, tmp_path, micro_data):
    compare(RECIPES[name], tmp_path, micro_data, **SETTINGS.get(name, {}))


def test_the_recipes_hold_every_plugin():
    covered = {name for names in RECIPES.values() for name in micro(*names).selection.plugins}
    assert covered == set(registry().plugins)


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param(name, marks=NEEDED.get(name, ())) for name in NAMES])
def test_plugin_is_the_same_live_and_built(name, tmp_path, micro_data):
    compare((name,), tmp_path, micro_data)
