"""The recipe of a record is the record's model: with its own plugins it gives the script's numbers at the vectors' sizes.

What it has besides the forward (loaders, optimizers, quantizers, kernels) takes part as in a run; only sizes are the case's.
"""

from pathlib import Path

import pytest
import torch
from models import TINY, Case, built
from test_model_vectors import CASES, FURTHER, TERNARY, check_case

from pgolf.recipe import load_recipe

FOLDER = Path(__file__).parent.parent / "submissions"
RECORDS = (
    ("baseline", "base_4L"),
    ("pr1019", "pr1019_6L"),
    ("pr1512", "swa_5L_w4"),
    ("pr1493", "pr1493_6L_noloop"),
    ("pr1493", "pr1493_6L_loop"),
    ("pr1477", "pr1477_noloop"),
    ("pr1477", "pr1477_loop"),
    ("pr1855", "pr1855_6L_sparse_noloop"),
    ("pr1855", "pr1855_6L_sparse_loop"),
    ("pr1667", "pr1667_proj"),
    ("ternary", "ternary_4L_fp32"),
)
LOOPING = ("pr1667_proj",)
"""Cases of the looping phase whose name does not say so."""
ROUNDED = ("ternary",)
"""Records that train with float8, but not in the head, where `fp_storage` has it as well: a sample plugin stands for it."""
TERNARY_FILE = ("model_ternary_4L", "ternary_4L_fp32", (), TERNARY["ternary_4L"][1])
SAMPLES = Path(__file__).parent / "sample_plugins"
OF_THE_CASE = {
    *("loop_end", "loop_start", "num_loops", "mlp_hidden", "mlp_mult"),
    *("parallel_residual_start", "parallel_start_layer", "qk_gain_init", "xsa_last_n"),
}
"""Settings of a recipe that go by its size: left to the case."""


@pytest.mark.parametrize(("record", "name"), RECORDS, ids=[name for _, name in RECORDS])
def test_a_recipe_gives_the_numbers_of_its_script(record, name):
    file, _, _, sizes = next(case for case in (*CASES, *FURTHER, TERNARY_FILE) if case[1] == name)
    recipe = load_recipe(FOLDER / record)
    kept = {key: value for key, value in recipe.settings.items() if key not in {*TINY, *OF_THE_CASE, *sizes}}
    if "rope_train_seq_len" in kept:
        kept |= {"rope_train_seq_len": 127, "train_seq_len": 128}
    plugins = [plugin for layer in recipe.layers for plugin in layer]
    if record in ROUNDED:
        plugins = [*(plugin for plugin in plugins if plugin != "fp_storage"), "float8_record"]
        kept = {key: value for key, value in kept.items() if not key.startswith("fp_storage")}
    made = built(*dict.fromkeys(plugins), plugin_dirs=(SAMPLES,) if record in ROUNDED else (), **kept, **sizes)
    case = Case(file, name)
    params = {key: value.float() for key, value in case.params.items()}
    if record in ROUNDED:
        params.pop("lm_head.weight")  # the script allocates it, and uses the embedding
    made.model.load_state_dict(params, strict=True)
    borders = torch.zeros_like(case.inputs["input_ids"].long())  # the cases' rows are not packed
    phases = ("loop",) if name in LOOPING else None
    check_case(case, made.model, made.model.named_parameters(), None, {"documents": borders}, phases)
