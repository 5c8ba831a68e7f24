"""Which techniques do not go together: errors of the build, and warnings that say what was measured."""

import re

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
)
"""With what the warning says was seen."""

QUIET = (
    ("document_packing_loader", "smear_gate"),
    ("document_packing_loader", "pko"),
)
"""Warned of in the public scripts, which had no mask; here documents are kept apart (test_modes)."""


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
