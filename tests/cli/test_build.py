"""`pgolf build`."""

import json

import pytest
from commands import pgolf

pytestmark = pytest.mark.usefixtures("in_a_folder")

CLASHING = '''"""A plugin with a helper."""
import torch.nn as nn
from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(name="{name}", summary="s", source="s", family="architecture")

def rms_norm(x, scale):
    return x * scale


class Head(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, model, n_BTD, layer, position, ctx):
        return rms_norm(n_BTD, self.scale)


@hookimpl
def branch_inputs(settings):
    return Component(Head, scale={scale})
'''


@pytest.mark.ci
def test_plugins_with_helpers_of_one_name_build_in_any_order(tmp_path):
    folder = tmp_path / "kit"
    folder.mkdir()
    for name, scale in (("kit_one", 2.0), ("kit_two", 3.0)):
        (folder / f"{name}.py").write_text(CLASHING.format(name=name, scale=scale))
    assert "no findings" in pgolf("lint", folder / "kit_one.py", folder / "kit_two.py").stdout
    flags = ("--plugin-dir", folder, "--smoke", "--pack", "plain", "--json")
    one = json.loads(pgolf("build", "--plugins", "kit_one,kit_two", "-o", "one", *flags, "--keep-stages").stdout)
    two = json.loads(pgolf("build", "--plugins", "kit_two,kit_one", "-o", "two", *flags).stdout)
    assert one["sha256"] == two["sha256"]
    linked = (tmp_path / "one/stages/1_linked.py").read_text()
    assert linked.count("def rms_norm") == 3 and linked.count("class Head") == 2
    modules = json.loads(pgolf("size", "one", "--plugin-dir", folder, "--json").stdout)
    assert "kit_two" in str(modules)


def test_build_writes_and_reports(tmp_path):
    done = pgolf("build", "--plugins", "pko", "--set", "num_layers=4", "--smoke", "--pack", "plain", "--json")
    document = json.loads(done.stdout)
    assert list(document) == ["folder", "code_bytes", "sha256", "stages", "plugins"]
    assert document["folder"] == "submissions/pko-smoke"
    assert document["code_bytes"] == (tmp_path / "submissions/pko-smoke/train_gpt.py").stat().st_size
    assert "note: pko brings partial_rope" in done.stderr
    again = pgolf("build", "submissions/pko-smoke", "--smoke", "--pack", "plain", "-o", "other")
    assert "left for the model" in again.stdout and document["sha256"] in again.stdout


def test_build_refuses_bad_input(tmp_path):
    for arguments in (
        ["nowhere.toml"],
        ["--set", "num_layers"],
        ["--set", "num_layer=4"],
        ["--set", "num_layers=x"],
        ["--name", "../x"],
        ["--plugins", "zlib,lzma"],
    ):
        done = pgolf("build", *arguments, status=2)
        assert "error[PG" in done.stderr and not (tmp_path / "submissions").exists()
