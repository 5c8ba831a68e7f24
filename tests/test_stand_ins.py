"""A build without PyTorch gives what one with it gives, and a plugin that wants more than names gets PyTorch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from models import registry

from pgolf import stand_ins
from pgolf.recipe import load_recipe
from pgolf.resolve import resolve

ROOT = Path(__file__).parents[1]
RECIPES = sorted(path.parent for path in ROOT.glob("submissions/*/recipe.toml"))
RESOLVE = """
import json, sys
from pathlib import Path
from pgolf import stand_ins
stand_ins.Process.is_command = True
def fail():
    raise SystemExit("started over")
stand_ins.start_over = fail
with stand_ins.installed() as active:
    assert active
    from pgolf.manager import load_registry
    from pgolf.recipe import load_recipe
    from pgolf.resolve import resolve
    registry = load_registry()
    assert not registry.problems
    print(json.dumps([sorted(registry.plugins), *(resolve(load_recipe(Path(one)), registry).entry for one in sys.argv[1:])]))
assert not any(name.startswith(("torch._", "numpy._")) for name in sys.modules)
"""
PLUGIN = '''"""{name}."""
import torch
from pgolf import Component, Plugin, hookimpl
PLUGIN = Plugin(name="{name}", summary="s", source="#1", family="architecture")
{line}
def twice(model, n_BTD, layer, position, ctx):
    ctx.fired("{name}")
    return 2 * n_BTD
@hookimpl
def mlp(settings):
    return Component(twice)
'''


def build(folder, plugin="", **env):
    """(whether PyTorch was imported, exit status, result or errors) of a `pgolf build` in a process of its own."""
    command = [sys.executable, "-X", "importtime", "-m", "pgolf.cli", "build", "--json", "-o", str(folder / "out")]
    command += ["--plugins", plugin, "--plugin-dir", str(folder)] if plugin else ["submissions/pr1512"]
    environment = {key: value for key, value in os.environ.items() if key != stand_ins.WITH_TORCH} | env
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    return " torch._C" in done.stderr, done.returncode, json.loads(done.stdout), lines


def plugin(folder, line):
    (folder / "doubled.py").write_text(PLUGIN.format(name="doubled", line=line), encoding="utf-8")
    return build(folder, "doubled")


def test_every_recipe_resolves_to_the_same_entry_without_pytorch():
    done = subprocess.run(
        [sys.executable, "-c", RESOLVE, *map(str, RECIPES)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    names, *entries = json.loads(done.stdout)
    assert names == sorted(registry().plugins)
    assert entries == [resolve(load_recipe(path), registry()).entry for path in RECIPES]


@pytest.mark.ci
def test_a_build_of_the_command_line_does_without_pytorch_and_can_be_told_not_to(tmp_path):
    first, second = build(tmp_path), build(tmp_path, PGOLF_WITH_TORCH="1")
    assert (first[0], second[0]) == (False, True)
    assert first[1] == 0 and first[2]["sha256"] == second[2]["sha256"] and first[3] == second[3]


MORE = (
    *(
        "torch.__version__",
        "torch.ones(1)",
        "torch.nn.Module",
        "torch.Tensor.is_cuda",
        "torch.Tensor(2)",
        "torch.no_grad(len)",
    ),
    *(
        "hasattr(torch, 'no_such_thing')",
        "type('Mine', (torch.Tensor,), {})",
        "torch.int8.itemsize",
        "torch.no_grad().clone",
    ),
    *("__import__('torch.fx')", "torch.library.custom_op('a::b', mutates_args=())(len).register_kernel"),
)
"""What no stand-in answers."""
ASK = """
import sys
from pgolf import stand_ins
stand_ins.Process.is_command = True
class Over(BaseException): pass
def fail():
    raise Over
stand_ins.start_over = fail
with stand_ins.installed():
    import torch
    import torch.nn.functional as F
    from torch import Tensor, nn
    assert (repr(torch.int8), Tensor | None, isinstance(1, Tensor)) == ("torch.int8", None | Tensor, False)
    for line in sys.argv[1:]:
        try:
            found = eval(line)
        except Over:
            continue
        raise SystemExit(f"{line} gave {found}")
"""


def test_what_asks_for_more_than_names_starts_over():
    done = subprocess.run([sys.executable, "-c", ASK, *MORE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.ci
@pytest.mark.parametrize(("line", "imported"), [("KIND = torch.float16", False), ("if torch.__version__: pass", True)])
def test_a_plugin_that_wants_more_is_built_with_pytorch(tmp_path, line, imported):
    found, status, result, lines = plugin(tmp_path, line)
    assert found == imported and status == (1 if "if" in line else 0), (result, lines)


@pytest.mark.ci
def test_errors_are_those_of_a_build_with_pytorch(tmp_path):
    found, status, result, lines = plugin(tmp_path, "broken = 1 / 0")
    again = build(tmp_path, "doubled", PGOLF_WITH_TORCH="1")
    assert found and status == 2 and (status, result, lines) == again[1:]


def test_every_stand_in_is_for_something_that_is_there():
    for module in stand_ins.MODULES:
        found = __import__(module, fromlist=["x"])
        assert all(callable(getattr(found, name)) for name in stand_ins.FUNCTIONS.get(module, ()))
    assert all(isinstance(getattr(torch, name), type) for name in stand_ins.TYPES)
    assert all(isinstance(getattr(torch, name), torch.dtype) for name in stand_ins.DTYPES)
    assert all(repr(getattr(torch, name)) == f"torch.{name}" for name in stand_ins.DTYPES)
    assert all(getattr(torch, name)()(len).__wrapped__ is len for name in stand_ins.DECORATORS)


def test_a_process_that_is_more_than_the_command_is_left_alone(monkeypatch):
    before = list(sys.meta_path)
    with stand_ins.installed() as active:
        assert not active and sys.meta_path == before
