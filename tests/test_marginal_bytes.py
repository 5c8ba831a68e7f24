"""Kept figures of plugins: whose they are, and what is said when the plugin has changed since."""

import json
from dataclasses import replace

from click.testing import CliRunner
from models import registry

from pgolf import marginal_bytes as module
from pgolf.cli.main import main
from pgolf.marginal_bytes import BYTES_PATH, keep_bytes, marginal_bytes


def test_a_figure_is_kept_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BYTES_PATH", tmp_path / "bytes.json")
    xsa = registry().get("xsa")
    assert marginal_bytes(xsa) is None
    keep_bytes(registry().get("pko"), 70, 1000, "2026-01-01")
    keep_bytes(xsa, 100, 1000, "2026-01-01")
    keep_bytes(xsa, 123, 10426, "2026-01-02")
    assert str(marginal_bytes(xsa)) == "+123 on a baseline of 10,426, 2026-01-02"
    assert marginal_bytes(registry().get("pko")).added == 70 and list(tmp_path.iterdir()) == [tmp_path / "bytes.json"]


def test_a_figure_of_another_source_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BYTES_PATH", tmp_path / "bytes.json")
    xsa = registry().get("xsa")
    keep_bytes(xsa, 123, 10426, "2026-01-02")
    changed = tmp_path / "xsa.py"
    changed.write_text(xsa.path.read_text() + "# changed\n")
    found = marginal_bytes(replace(xsa, path=changed))
    assert not found.current and str(found).endswith("; its source has changed since")
    assert marginal_bytes(replace(xsa, origin="elsewhere")) is None, "a plugin of the same name from elsewhere"


def test_kept_figures_are_of_plugins_that_are_there():
    kept = json.loads(BYTES_PATH.read_text())
    assert kept and set(kept) <= set(registry().plugins)
    assert all(abs(row["added"]) < 6000 and row["baseline"] > 5000 for row in kept.values())


def test_show_has_the_figure():
    name = next(iter(json.loads(BYTES_PATH.read_text())))
    done = CliRunner().invoke(main, ["plugins", "show", name])
    assert str(marginal_bytes(registry().get(name))) in done.stdout
    made = json.loads(CliRunner().invoke(main, ["plugins", "show", name, "--json"]).stdout)
    assert made["marginal_bytes"]["added"] == marginal_bytes(registry().get(name)).added
