"""The recipe of a record is the record's model: with its own plugins it gives the script's numbers at the vectors' sizes.

What it has besides the forward (loaders, optimizers, quantizers, kernels) takes part as in a run; only sizes are the case's.
A case of flags that no record has on is the recipe of its script's record with these plugins switched.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from models import TINY, Case, built, registry
from test_model_vectors import CASES, FURTHER, PACKED, TERNARY, check_case, packed_fields

from pgolf.recipe import load_recipe

FOLDER = Path(__file__).parent.parent / "submissions"
SAMPLES = Path(__file__).parent / "sample_plugins"
FLAGS = ("bigram_hash", "ln_scale", "ntk_rope", "value_embedding", "xsa")
"""What the PR #1019 script's smallest case has switched off."""


class Record(NamedTuple):
    """A recipe, what a case switches on and off in it, and the cases that are its model."""

    recipe: str
    cases: tuple[str, ...]
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


def both(name):
    """The case before and while looping."""
    return f"{name}_noloop", f"{name}_loop"


def packed(name):
    """Two cases of packed rows: documents as they are while looping, and cut after 13 tokens before it."""
    return f"{name}_varlen_loop_maxdoc0", f"{name}_varlen_noloop_maxdoc13"


RECORDS = (
    Record("baseline", ("base_4L", "base_gain4_2L")),
    Record("baseline", ("base_untied",), ("untied_head",)),
    # The record trains on the quantile of a row without a floor; `qat` has the exporter's grid.
    Record("smeargate-orthoinit", ("smeargate_v1",), ("quantile_grid",), ("qat",)),
    Record("pr1019", ("pr1019_6L",)),
    Record("pr1019", ("pr1019_flags",), ("gated_attention", "value_residual")),
    Record("pr1019", ("pr1019_3L_plain_rope_novE",), (), FLAGS),
    Record("pr1512", ("swa_5L_w4",)),
    Record("pr1493", both("pr1493_6L")),
    Record("pr1493", both("pr1493_4L_ntk"), ("ntk_rope",), ("partial_rope",)),
    Record(
        "pr1493",
        ("pr1493_3L_factor_noloop",),
        ("embedding_projections",),
        ("layer_loop", "parallel_residual", "skip_gates"),
    ),
    Record("pr1493", both("pko_4L"), ("pko",)),
    Record("pr1493", ("pko_2L_rd4_noloop",), ("pko",), ("layer_loop", "parallel_residual")),
    Record("pr1493", ("iha_3L",), ("iha",), ("layer_loop",)),
    Record("pr1477", both("pr1477")),
    Record("pr1667", ("pr1667_proj",)),
    # PR #1667 smears across documents; the case is of a script that does not.
    Record(
        "pr1855",
        (*both("pr1855_5L_outgate_q"), *packed("pr1855_5L_outgate_q")),
        ("attention_output_gate",),
        ("quant_gate", "skip_gates", "sparse_attention_gate"),
    ),
    Record("pr1736", (*both("pr1855_4L_dense_nosmear"), *packed("pr1855_4L_dense_nosmear"))),
    Record("pr1855", (*both("pr1855_6L_sparse"), *packed("pr1855_6L_sparse"))),
    # Float8 not in the head, where `fp_storage` has it as well: a sample plugin stands for it.
    Record("ternary", ("ternary_4L_fp32",), ("float8_record",), ("fp_storage",)),
    Record(
        "ternary",
        ("ternary_3L_swiglu_smear_fp32",),
        ("swiglu", "block_smear"),
        ("factored_embedding", "fp_storage", "poly_softcap", "yarn_rope"),
    ),
)
ALL = [(record, name) for record in RECORDS for name in record.cases]
LOOPING = ("pr1667_proj",)
"""Cases of the looping phase whose name does not say so."""
UNUSED = ("ternary_4L_fp32", "ternary_3L_swiglu_smear_fp32")
"""Their script allocates a head, and uses the embedding."""
FILES = {
    **{case[1]: (case[0], case[3]) for case in (*CASES, *FURTHER)},
    **{f"{name}_fp32": (f"model_{name}", sizes) for name, (_, sizes) in TERNARY.items()},
    **{name: (f"model_pr1855_{short}", sizes) for short, _, sizes in PACKED for name in packed(f"pr1855_{short}")},
    "smeargate_v1": ("model_smeargate_v1", {"bigram_hash_buckets": 64, "bigram_hash_dim": 16}),
}
"""Case -> file, and its sizes."""
OF_THE_CASE = {
    *("loop_end", "loop_start", "num_loops", "mlp_hidden", "mlp_mult"),
    *("parallel_residual_start", "parallel_start_layer", "qk_gain_init", "rope_base", "xsa_last_n"),
    *("logit_softcap",),
}
"""Settings of a recipe that go by its size: left to the case."""


def of_the_record(record, name):
    """The model of the recipe, at the sizes of the case."""
    recipe, sizes = load_recipe(FOLDER / record.recipe), FILES[name][1]
    plugins = [plugin for layer in recipe.layers for plugin in layer if plugin not in record.off]
    plugins = dict.fromkeys((*plugins, *record.on))
    dirs = (SAMPLES,) if {"quantile_grid", "float8_record"} & {*record.on} else ()
    others = {setting.name for name in record.off for setting in registry().plugins[name].plugin.settings}
    others |= {*TINY, *OF_THE_CASE, *sizes}
    kept = {key: value for key, value in recipe.settings.items() if key not in others}
    if "rope_train_seq_len" in kept:
        kept |= {"rope_train_seq_len": 127, "train_seq_len": 128, "quirk_stretched_training": True}
    return built(*plugins, plugin_dirs=dirs, **kept, **sizes)


@pytest.mark.parametrize(("record", "name"), ALL, ids=[name for _, name in ALL])
def test_a_recipe_gives_the_numbers_of_its_script(record, name):
    """With the state dict under its own names, packed rows with their documents."""
    made, case = of_the_record(record, name), Case(FILES[name][0], name)
    unused = ("lm_head.weight",) if name in UNUSED else ()
    params = {key: value.float() for key, value in case.params.items() if key not in unused}
    made.model.load_state_dict(params, strict=True)
    ids = case.inputs["input_ids"].long()
    looping = name in LOOPING or "_varlen_loop" in name or name.endswith("_loop")
    longest = name.partition("_maxdoc")[2]
    fields = packed_fields(ids, int(longest)) if longest else {"documents": torch.zeros_like(ids)}
    check_case(case, made.model, made.model.named_parameters(), None, fields, ("loop",) if looping else ())


def test_every_whole_model_is_the_model_of_a_recipe():
    """But products in bfloat16, which test_model_vectors holds, and the companions of other cases."""
    files = (Path(__file__).parent / "vectors" / "model").glob("model_*.json")
    known = {case["case"] for path in files for case in json.loads(path.read_text())["cases"]}
    others = {name for name in known if name.endswith(("_bf16", "_fold", "_forward_ttt"))}
    assert {name for _, name in ALL} == known - others and len(ALL) == len(known - others)
