"""Which techniques do not go together: errors of the build, and warnings that say what was measured."""

import re
from pathlib import Path

import pytest
from models import resolved
from test_plugin_contracts import sizes

from pgolf.errors import PgolfError, PgolfErrors

HARD = (
    ("attention_output_gate", "dense_attention_gate"),
    ("attention_output_gate", "sparse_attention_gate"),
    ("dense_attention_gate", "sparse_attention_gate"),
    ("smear_gate_v1", "smear_gate"),
    ("smear_gate_v1", "smear_gate_v3"),
    ("smear_gate", "smear_gate_v3"),
    ("ternary", "ema"),
    ("ternary", "muon_weight_decay"),
    ("binary", "muon_weight_decay"),
    ("weight_decay_taper", "weight_decay_schedule"),
    ("sdclip", "gptq_lite"),
    ("sdclip", "clip_search"),
    ("fused_cross_entropy", "poly_softcap"),
    ("fused_cross_entropy", "sigmoid_rescale"),
    ("paired_muon", "fused_qkv"),
    ("caseops", "byte_weighted_loss"),
    ("layer_loop", "depth_recurrence"),
    ("sequential_loader", "shuffled_loader"),
)
"""One place, one scalar, or numbers that would be wrong."""

SOFT = (
    ("layer_loop", "bank_qat", "1.119"),
    ("layer_loop", "qat", "compile"),
    ("depth_recurrence", "smear_gate", "#363"),
    ("layer_loop", "mtp", "#363"),
    ("layer_loop", "mtp_tied", "#363"),
    ("qat", "ema", "1.100"),
    ("bank_qat", "ema", "1.100"),
    ("soft_round", "ema", "1.100"),
    ("binary", "ema", r"\+.03"),
    ("sgd_ttt", "banks", r"\+.645"),
    ("self_calibration", "ntk_rope", r"\.0003"),
)
"""With what the warning says was seen."""

QUIET = (
    ("document_packing_loader", "smear_gate"),
    ("document_packing_loader", "pko"),
    ("lqer", "selective_prune"),
    ("phased_ttt", "pko"),
    ("lora_ttt", "pko"),
)
"""Worse in the public scripts, which had no mask, pruned after the correction, or copied keys onto themselves. Here documents
are kept apart (test_modes), corrections are made of the codes that are left, and the shift is a shift (its effect says what it
costs)."""

HELD = {
    "windows are those of training in scoring, calibration and adapting": "test_modes::test_an_adapter_learns_at_every_step",
    "a part of the forward without a form for adapters": "test_modes::test_an_adapter_learns_at_every_step",
    "mixed heads are folded before statistics": "plugins/architecture/test_iha::test_the_artifact_knows_nothing_of_mixtures",
    "loops are on for statistics": "runtime/test_calibrate::test_repeats_of_a_looped_layer_add_up",
    "key offset with rotary positions on the whole head": "plugins/architecture/test_pko::test_it_brings_partial_rope_along",
    "gates of other sizes in int8": "plugins/quantizer/test_quant_gate::test_gates_of_the_right_size_are_planned",
    "codes that change under a correction": "runtime/test_export::test_corrections_are_made_of_the_codes_that_fit_leaves",
    "less reserve than calibration takes": "plugins/quantizer/test_train_calibration::test_a_build_without_time_for_it",
    "the cost of shuffled documents": "plugins/data/test_document_shuffle_loader::test_windows_are_those_of_the_fork",
    "validation documents in training shards": "data/test_split::test_a_run_refuses_what_the_manifest_counts",
    "a fused MLP hides the input of its second matrix": "plugins/architecture/test_fused_mlp::test_scoring_calibration_and",
    "names of matrices where there are banks": "runtime/test_export::test_the_artifact_does_not_depend_on_the_layout",
    "per-group coding without the program": "plugins/compressor/test_lrzip::test_a_missing_program_is_found_by_prepare",
    "kernels in a packed file": "bundle/test_pack::test_every_kind_runs_with_source_name_and_arguments",
    "clips whose artifact is over the cap": "verify/test_checks_size::test_the_cap_counts_the_shipped_file",
}
"""What has no pair of names, with the (beginning of the) test that holds it."""


def warnings(*names):
    return resolved(*names, **sizes(*names)).selection.warnings


@pytest.mark.parametrize("pair", HARD, ids=" ".join)
def test_what_cannot_be_built_is_an_error(pair):
    with pytest.raises((PgolfError, PgolfErrors), match=r"PG\d\d\d"):
        warnings(*pair)
    for name in pair:
        warnings(name)


@pytest.mark.parametrize(("one", "other", "cost"), SOFT)
def test_what_was_measured_to_be_worse_is_a_warning_that_says_so(one, other, cost):
    (found,) = [line for line in warnings(one, other) if one in line and other in line]
    assert re.search(cost, found), found


@pytest.mark.parametrize("pair", QUIET, ids=" ".join)
def test_what_is_kept_apart_is_not_warned_of(pair):
    assert not [line for line in warnings(*pair) if pair[0] in line]


@pytest.mark.parametrize("rule", HELD)
def test_what_no_pair_of_names_says_is_held_by_a_test(rule):
    place, _, name = HELD[rule].partition("::")
    assert f"def {name}" in (Path(__file__).parent / f"{place}.py").read_text()
