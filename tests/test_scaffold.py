import importlib
import importlib.metadata
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from pgolf.component import FAMILIES
from pgolf.manager import Registry, load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import load_entry, resolve
from pgolf.scaffold import write_package

TINY = {"vocab_size": 256, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "num_layers": 4, "train_seq_len": 64}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_new_plugin_of_every_family_loads_and_resolves(tmp_path, monkeypatch, family):
    name = f"fresh_{family}"
    files = write_package(name, tmp_path / "new", family, Registry())
    assert {path.name for path in files} == {
        "pyproject.toml",
        "README.md",
        "__init__.py",
        f"{name}.py",
        f"test_{name}.py",
    }
    monkeypatch.syspath_prepend(tmp_path / "new/src")
    point = SimpleNamespace(
        name=name,
        value=f"pgolf_{name}.{name}",
        load=lambda: importlib.import_module(f"pgolf_{name}.{name}"),
        dist=SimpleNamespace(name="fresh", version="1"),
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    registry = load_registry()
    assert not registry.problems and registry.plugins[name].plugin.family == family
    resolved = resolve(Recipe("t", layers=((name,),), settings=TINY), registry)
    assert f"from pgolf_{name}.{name} import" in resolved.entry
    assert resolved.plugin_of(f"pgolf_{name}.helpers") == name
    assert name in load_entry(resolved.entry).make_program().plugins
    for path in files:
        if path.suffix == ".py":
            compile(path.read_text(), path, "exec")


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=pytest.mark.ci if name in ("architecture", "eval") else pytest.mark.slow)
        for name in FAMILIES
    ],
)
def test_a_new_package_builds_installs_and_passes_its_test(tmp_path, family):
    """Built and installed without an index, into a folder that only this test's Python looks into."""
    name = f"fresh_{family}"
    write_package(name, tmp_path / "new", family, load_registry())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "-q"]

    def run(*command, **env):
        done = subprocess.run(command, cwd=tmp_path / "new", env={**os.environ, **env}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "-o", str(tmp_path / "dist"), ".")
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    run(*pip, "install", *offline, "--target", str(tmp_path / "site"), str(wheel))
    path = str(tmp_path / "site")
    assert "2 passed" in run(
        sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", PYTHONPATH=path
    )
    assert name in run(sys.executable, "-m", "pgolf.cli", "plugins", "show", name, PYTHONPATH=path)
