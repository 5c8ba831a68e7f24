"""A tiny recipe with one large matrix, weights for it, and a sweep over both."""

from types import SimpleNamespace

import torch
from models import built, scramble

from pgolf.recipe import Recipe
from pgolf.requant.checkpoint import read_checkpoint
from pgolf.requant.sweep import Plan
from pgolf.run.data import DataPaths
from pgolf.runtime.parameters import canonical_state
from pgolf.testing import MICRO

# 1,056 x 64 elements are just more than quantizers keep as they are.
SIZES = {**MICRO, "model_dim": 64, "num_layers": 2, "num_heads": 4, "num_kv_heads": 2, "mlp_hidden": 1056}
PLUGINS = ("gptq", "sdclip", "train_calibration")
CODE = 7000
GRID = [{"matrix_clip_sigmas": "6"}, {"matrix_clip_sigmas": "12"}]


def recipe(*plugins, **settings):
    """A recipe at these sizes."""
    return Recipe("tiny", layers=(plugins or PLUGINS,), settings={**SIZES, **settings})


def weights(folder, **run):
    """A checkpoint of scrambled weights, with what a run saves beside it where `run` says so."""
    made = built(*PLUGINS, **SIZES, gptq_calibration_batches=1)
    state = canonical_state(scramble(made.model).state_dict(), made.parameters)
    folder.mkdir(exist_ok=True)
    torch.save(state, folder / "final_model.pt")
    if run:
        torch.save((run["statistics"], {}, (), False, 0.0), folder / "final_export.pt")
    return read_checkpoint(folder)


def plan(checkpoint, data, out, grid, *plugins, **settings):
    """A sweep that writes down what it reports."""
    lines = []
    settings = {"gptq_calibration_batches": 1, **settings} if not plugins else settings
    made = Plan(
        recipe(*plugins, **settings),
        grid,
        checkpoint,
        DataPaths(data.data_path, data.tokenizer_path),
        out,
        report=lambda total, done, point, stage: lines.append((done, stage)),
    )
    return made, lines


def no_build(recipe, registry, **options):
    """In place of `make`: the bytes of a build that takes no time."""
    return SimpleNamespace(built=SimpleNamespace(code=bytes(CODE)))
