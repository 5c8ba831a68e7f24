"""Folders that pgolf built, probed end to end in the sandbox: honest ones pass, a cheating plugin and an altered file fail."""

import json
import re

import pytest
from click.testing import CliRunner

from pgolf.cli.main import main
from pgolf.verify.code_program import read_program
from pgolf.verify.sandbox import Refused, open_sandbox

DECIDED = ("rule.causal", "rule.scorefirst", "rule.onepass", "rule.bytelut", "rule.calibval", "rule.calibtrain")
ONLY = ("flip", "ledger", "bytes", "poison", "absence")
PEEK = '''"""Every position takes in a little of the one behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.settings import SettingsView

PLUGIN = Plugin(name="peek", summary="Looks ahead.", source="nowhere", family="architecture", effect="-1 BPB")


def peek(model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """x_BTD -> x_BTD."""
    ctx.fired("peek", "looks")
    return x_BTD + 0.5 * torch.roll(x_BTD, -1, 1)


@hookimpl
def stem_normed(settings: SettingsView) -> Component:
    """After the norm."""
    return Component(peek)
'''


def sandboxed():
    try:
        open_sandbox(False)
    except Refused:
        return False
    return True


pytestmark = [pytest.mark.slow, pytest.mark.skipif(not sandboxed(), reason="needs bubblewrap")]


def built(folder, plugins, *more):
    done = CliRunner().invoke(main, ["build", "--smoke", "--plugins", plugins, "-o", str(folder), *more])
    assert done.exit_code == 0, done.output
    return folder


def probed(folder, *more, only=ONLY):
    asked = [word for probe in only for word in ("--probe", probe)]
    done = CliRunner().invoke(main, ["verify", "--json", "--probe-seed", "5", *asked, *more, str(folder)])
    return {row["id"]: row for row in json.loads(done.stdout)["checks"] if row["id"].startswith("rule.")}


@pytest.mark.parametrize("plugins", ["swa,bank_qat,pko", "lora_ttt"])
def test_an_honest_build_passes(tmp_path, plugins):
    rows = probed(built(tmp_path / "it", plugins))
    assert {rule: rows[rule]["status"] for rule in DECIDED} == dict.fromkeys(DECIDED, "PASS"), rows
    assert not [rule for rule, row in rows.items() if row["status"] == "FAIL"]


def test_a_cheating_plugin_fails(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "peek.py").write_text(PEEK)
    where = ("--plugin-dir", str(plugins))
    row = probed(built(tmp_path / "it", "peek", *where), *where, only=("flip",))["rule.causal"]
    assert row["status"] == "FAIL" and row["evidence"]["findings"][0]["position"] > 0, row


def test_an_altered_file_fails(tmp_path):
    """The lock disowns it: it is foreign code, and is run as such."""
    folder = built(tmp_path / "it", "leaky_relu2")
    code = folder / "train_gpt.py"
    text = read_program(code.read_bytes(), lambda name: b"").unpacked.text
    changed, count = re.subn(r"causal=True", "causal=False", text)
    # FlashAttention's window says it once more: nothing to the right.
    changed, windows = re.subn(r"window_size=\(-1,\s*0\)", "window_size=(-1, -1)", changed)
    assert count and windows
    code.write_text(changed)
    row = probed(folder, only=("flip",))["rule.causal"]
    assert (
        row["status"] == "FAIL" and row["evidence"]["findings"][0]["token"] > row["evidence"]["findings"][0]["position"]
    )
