"""The examples of docs/hooks.md: each builds, and all together run, live and built alike, with a receipt from every one."""

import functools

import pytest
from equality import live_and_built
from micro import MICRO, run_program
from test_plugin_contracts import sizes

from pgolf.bundle.pipeline import build
from pgolf.manager import load_registry
from pgolf.recipe import Recipe
from pgolf.reference import EXAMPLES, examples
from pgolf.resolve import resolve

NAMES = [example.name for example in examples()]
# What an example is of no use without: an error of the build says so.
PARTNERS = {
    "example_calibration": ("example_recipe",),
    "example_clip": ("example_recipe", "example_calibration"),
    "example_counts": ("example_recipe", "example_calibration"),
    "example_recipe": ("example_calibration",),
    "example_rounding": ("example_recipe", "example_calibration"),
    "example_statistics": ("example_recipe", "example_calibration"),
}


@functools.cache
def registry():
    return load_registry([EXAMPLES])


def resolved(*names):
    settings = {**MICRO, "num_heads": 4, "num_kv_heads": 2}
    if {"example_base_update", "example_adapter_sgd"} & set(names):
        settings |= sizes("lora_ttt")
    return resolve(Recipe("test", layers=(names,), settings=settings), registry())


@pytest.mark.parametrize("name", NAMES)
def test_example_resolves(name):
    assert f"{name!r}" in resolved(name, *PARTNERS.get(name, ())).entry


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_example_builds(name):
    made = resolved(name, *PARTNERS.get(name, ()))
    compile(build(made.entry, made.find_source).code, "train_gpt.py", "exec")


# A transform acts when data are prepared; windows have no say beside an evaluation, and two evaluations exclude each other.
ALONE = ("example_transform", "example_windows", "example_base_update", "example_adapter_sgd")


@pytest.mark.parametrize(
    "together",
    [
        pytest.param([name for name in NAMES if name not in ALONE], marks=pytest.mark.ci),
        ["example_windows"],
        pytest.param(["example_base_update", "example_adapter_sgd"], marks=pytest.mark.ci),
    ],
    ids=["all", "windows", "adapted"],
)
def test_all_examples_together_are_the_same_live_and_built(together, tmp_path, micro_data, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES))
    made = resolved(*together)
    live, built = live_and_built(made, tmp_path, micro_data)
    assert live["losses"] and live["final"]
    for key in ("losses", "state", "artifact", "final"):
        assert live[key] == built[key], key
    run = run_program(tmp_path / "entry.py", tmp_path / "run", micro_data, PYTHONPATH=str(EXAMPLES))
    assert run.status == 0, run.output
    receipts = {text.split(":")[0].removeprefix("receipt ") for text in run.lines if text.startswith("receipt")}
    assert set(together) <= receipts


def test_the_transform_gives_the_text_back():
    from example_transform import LineSymbol

    transform = LineSymbol()
    for text in ("", "one\ntwo", "\ue010\n\n", "ü\n"):
        coded = transform.encode(text)
        assert transform.decode(coded) == text and sum(transform.byte_counts(coded)) == len(text.encode())
