"""The built file is the same bytes whichever Python builds it, and reads as Python 3.11."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from micro import micro
from models import resolved

from pgolf.bundle.pipeline import build
from pgolf.bundle.source import load
from pgolf.unpack import unpack

ROOT = Path(__file__).parents[2]
OTHERS = ("3.11", "3.12", "3.13")
PURE = ("python_minifier", "pluggy")
"""What the bundler imports that is written in Python, and so runs under any."""
BROTLI = "error = ValueError\n"
"""Stands for the compiled package, which a build without brotli does not call."""
BUILDER = """
import json, sys
from pathlib import Path
order = json.loads(Path(sys.argv[1]).read_text())
sys.path[:0] = order["path"]
from pgolf.bundle.pipeline import build
built = build(order["entry"], lambda name: Path(order["sources"][name]) if name in order["sources"] else None)
for name, content in built.dumps.items():
    Path(sys.argv[2], name).write_bytes(content)
"""
RECIPES = {
    "baseline": lambda: resolved(),
    "many": lambda: micro("swa", "bank_qat", "pko", "banks", "smear_gate", "value_embedding", "int6", "lzma"),
}


def interpreter(version):
    """Another Python of this version, or None."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    candidates = [*map(str, found), shutil.which(f"python{version}")]
    for path in filter(None, candidates):
        done = subprocess.run([path, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True)
        if done.stdout.strip() == str(tuple(map(int, version.split(".")))):
            return path
    return None


@pytest.fixture
def packages(tmp_path):
    """A folder with what the bundler imports."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in PURE:
        spec = importlib.util.find_spec(name)
        (folder / name).symlink_to(Path(spec.origin).parent)
    (folder / "brotli.py").write_text(BROTLI)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("version", [item for item in OTHERS if item != "{}.{}".format(*sys.version_info)])
@pytest.mark.parametrize("name", RECIPES)
def test_another_python_builds_the_same_bytes(name, version, packages, tmp_path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    recipe = RECIPES[name]()
    modules = load(recipe.entry, recipe.find_source)
    sources = {module: str(recipe.find_source(module)) for module in modules if recipe.find_source(module) is not None}
    order, out = tmp_path / "order.json", tmp_path / "out"
    out.mkdir()
    path = [str(packages), str(ROOT)]
    order.write_text(json.dumps({"entry": recipe.entry, "sources": sources, "path": path}))
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "7", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, "-I", "-c", BUILDER, str(order), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for stage, content in build(recipe.entry, recipe.find_source).dumps.items():
        # The intermediate texts are printed for people, by each Python's own printer.
        if stage >= "4":
            assert (out / stage).read_bytes() == content, stage


@pytest.mark.parametrize("name", RECIPES)
def test_the_built_file_is_python_3_11(name):
    recipe = RECIPES[name]()
    code = build(recipe.entry, recipe.find_source).code
    for text in (code, unpack(code)):
        ast.parse(text, feature_version=(3, 11))
