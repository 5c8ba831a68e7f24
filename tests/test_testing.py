"""What third parties test their plugins with: it passes what is right, and names the promise that is broken."""

import sys
from pathlib import Path

import pytest
import torch

from pgolf import testing
from pgolf.testing import CHECKS, PluginCase, check_plugin, make_model, tiny_context, tiny_session
from pgolf.testing.checks import (
    check_causality,
    check_compiles,
    check_every_mode,
    check_gradients,
    check_live_equals_built,
    check_metadata,
)

SAMPLES = Path(__file__).parent / "sample_plugins"
PLUGIN = '''"""A plugin with a fault.

Source: pgolf's tests.
"""

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import ones

PLUGIN = Plugin(name="{name}", summary="A fault.", source="tests", family="architecture")


def change(model, n_BTD, layer, position, ctx):
    {body}


@hookimpl
def parameters(settings):
    return [Param("{name}.gain", (1,), "scalar", "control", init=Component(ones))]


@hookimpl
def branch_inputs(settings):
    return Component(change)
'''
GAIN = 'ctx.weights["{name}.gain"]'


@pytest.fixture(autouse=True)
def clean_imports():
    path = list(sys.path)
    yield
    sys.path[:] = path


def faulty(tmp_path, name, body, text=PLUGIN):
    """A case of a plugin whose component does this."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / f"{name}.py").write_text(text.format(name=name, body=body.replace("GAIN", GAIN.format(name=name))))
    return PluginCase(name, tmp_path / "work", plugin_dirs=(folder,))


@pytest.mark.parametrize(
    ("name", "body", "check", "message"),
    [
        ("tt_future", "return n_BTD * GAIN + n_BTD.mean(1, keepdim=True)", check_causality, "before position 1"),
        ("tt_infinite", "return n_BTD * GAIN / 0", check_every_mode, "finite"),
        ("tt_unused", "return n_BTD * 2", check_gradients, "no gradient reaches tt_unused.gain"),
        ("tt_silent", "return n_BTD * GAIN.detach()", check_live_equals_built, "plugin tt_silent did nothing"),
    ],
)
def test_a_broken_promise_is_named(tmp_path, micro_data, name, body, check, message):
    case = faulty(tmp_path, name, body)
    case.given_data = micro_data
    with pytest.raises(AssertionError, match=message):
        check(case)


def test_a_graph_break_is_found(tmp_path):
    case = faulty(tmp_path, "tt_break", "print(end='')\n    return n_BTD * GAIN * float(n_BTD.sum() > 0)")
    with pytest.raises(Exception, match=r"(?i)graph|dynamo|data-dependent|print"):
        check_compiles(case)


@pytest.mark.parametrize(("old", "new"), [("Source:", "From:"), ('"A fault."', '"A fault"')])
def test_metadata_are_checked(tmp_path, old, new):
    name = f"tt_meta_{len(new)}"
    with pytest.raises(AssertionError):
        check_metadata(faulty(tmp_path, name, "return n_BTD * GAIN", PLUGIN.replace(old, new)))


@pytest.mark.parametrize("name", ["square_penalty", pytest.param("coarse_inputs", marks=pytest.mark.ci)])
def test_a_third_partys_plugin_passes(tmp_path, name):
    case = check_plugin(name, tmp_path, plugin_dirs=[SAMPLES])
    assert (tmp_path / "runs/train_gpt.py").is_file() and case.resolved().params


def test_every_check_says_what_it_is_for():
    assert len(CHECKS) == 7 and all(check.__doc__ for check in CHECKS)
    assert all(hasattr(testing, name) for name in testing.__all__)


def test_a_tiny_context_serves_one_component():
    made = make_model("swa", swa_full_attn_layers=2, swa_window=8)
    ctx = tiny_context(made.model)
    x = torch.randn(2, 32, 64)
    y = made.program.mlp(made.model, x, 0, 0, ctx)
    assert y.shape == x.shape and ctx.ledger.receipt("relu2") == "1 layers"


def test_a_tiny_session_trains_and_scores(micro_data):
    log = []
    session = tiny_session(micro_data, "swa", log=log, iterations=2, swa_full_attn_layers=2, swa_window=8)
    assert "prepared swa: scaled_dot_product_attention" in log
    x, y, fields = (session.open_loader(session.ledger), session.next_batch())[1]
    session.forward(x, y, fields=fields).backward()
    assert session.validate().val_bpb > 0
