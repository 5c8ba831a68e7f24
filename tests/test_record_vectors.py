"""The recipe of a record is the record's model: with its own plugins it gives the script's numbers at the vectors' sizes.

What it has besides the forward (loaders, optimizers, quantizers, kernels) takes part as in a run; only sizes are the case's.
"""

from pathlib import Path

import pytest
import torch
from models import TINY, Case, built
from test_model_vectors import CASES, FURTHER, check_case

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
)
OF_THE_CASE = {
    *("loop_end", "loop_start", "num_loops", "mlp_hidden", "mlp_mult"),
    *("parallel_residual_start", "parallel_start_layer", "qk_gain_init", "xsa_last_n"),
}
"""Settings of a recipe that go by its size: left to the case."""


@pytest.mark.parametrize(("record", "name"), RECORDS, ids=[name for _, name in RECORDS])
def test_a_recipe_gives_the_numbers_of_its_script(record, name):
    file, _, _, sizes = next(case for case in (*CASES, *FURTHER) if case[1] == name)
    recipe = load_recipe(FOLDER / record)
    kept = {key: value for key, value in recipe.settings.items() if key not in {*TINY, *OF_THE_CASE, *sizes}}
    if "rope_train_seq_len" in kept:
        kept |= {"rope_train_seq_len": 127, "train_seq_len": 128}
    plugins = [plugin for layer in recipe.layers for plugin in layer]
    made = built(*dict.fromkeys(plugins), **kept, **sizes)
    case = Case(file, name)
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    fields = {"documents": torch.zeros_like(case.inputs["input_ids"].long())}  # the cases' rows are not packed
    check_case(case, made.model, made.model.named_parameters(), fields=fields)
