"""Installed packages with their plugins: real distributions on the path, good, too new and broken."""

import json
import sys
import textwrap

import pytest
from click.testing import CliRunner

from pgolf.cli.main import main
from pgolf.hook_version import HOOK_VERSION
from pgolf.manager import load_registry
from pgolf.plugin_index import index, is_pgolf

PLUGIN = """
from pgolf import Component, Plugin, hookimpl
PLUGIN = Plugin(name="{name}", summary="Doubles.", source="x", family="architecture", hook_version="{version}")
def double(model, n_BTD, layer, position, ctx):
    return 2 * n_BTD
@hookimpl
def branch_inputs(settings):
    return Component(double)
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed packages."""
    texts = {
        "index_good": PLUGIN.format(name="index_good", version=HOOK_VERSION),
        "index_late": PLUGIN.format(name="index_late", version="99.0"),
        "index_broken": "import no_such_module_of_anybody",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        info = tmp_path / f"{name}-1.5.dist-info"
        info.mkdir()
        needs = "Requires-Dist: pgolf-extras>=3\nRequires-Dist: pgolf>=0.1\n"
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n{needs}")
        (info / "entry_points.txt").write_text(f"[pgolf.plugins]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in texts:
        sys.modules.pop(name, None)


def test_every_distribution_says_whether_it_fits(site):
    found = {one.plugin: one for one in index(load_registry())}
    good, late, broken = (found[name] for name in ("index_good", "index_late", "index_broken"))
    assert (good.distribution, good.version, good.requires) == ("index_good", "1.5", "pgolf>=0.1")
    assert good.hook_version == HOOK_VERSION and good.family == "architecture" and not good.problem
    assert late.problem == f"index_late asks for hooks 99.0, here are {HOOK_VERSION}"
    assert "no_such_module_of_anybody" in broken.problem


def test_the_command(site):
    done = CliRunner().invoke(main, ["plugins", "index"])
    assert done.exit_code == 0 and f"hooks {HOOK_VERSION}" in done.stdout
    assert "index_good" in done.stdout and "99.0" in done.stdout
    found = json.loads(CliRunner().invoke(main, ["plugins", "index", "--json"]).stdout)
    assert found["hook_version"] == HOOK_VERSION
    assert {"index_good", "index_late", "index_broken"} <= {one["plugin"] for one in found["plugins"]}


def test_an_entry_point_of_another_name_is_the_plugin_it_leads_to(site):
    (site / "index_good-1.5.dist-info" / "entry_points.txt").write_text("[pgolf.plugins]\nother = index_good\n")
    (found,) = [one for one in index(load_registry()) if one.distribution == "index_good"]
    assert found.plugin == "index_good" and not found.problem


def test_requirements():
    assert is_pgolf("pgolf") and is_pgolf("pgolf>=0.1") and is_pgolf("pgolf (>=0.1)") and not is_pgolf("pgolf-x>=1")
