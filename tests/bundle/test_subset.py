# ruff: noqa: E501 (each sample is one line, however long)
"""The rules: every known-bad module yields its code and no other, and the look-alikes of each rule pass."""

import re
from pathlib import Path

import pytest
from rule_codes import ENTRY, codes

from pgolf.bundle.link import reach
from pgolf.bundle.rules.subset import RULES, check
from pgolf.bundle.source import is_build_time, load
from pgolf.errors import CODES

ROOT = Path(__file__).parents[2]
REJECTED = sorted((ROOT / "tests" / "rejected").glob("PG3*.py"))


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_a_rejected_module_yields_its_code_alone(project, path):
    assert set(codes(project, path.read_text())) == {path.name[:5]}


def test_every_rule_has_a_rejected_module():
    assert {path.name[:5] for path in REJECTED} == set(RULES) == {code for code in CODES if code.startswith("PG3")}


@pytest.mark.parametrize(
    "text",
    [
        "X = 2 ** 3 + len((1, 2))\nY: tuple = (X, float('inf'))\n__all__ = ['run']\ndef run(): return Y",
        "import re\nPATTERN = re.compile('a')\ndef run(): return PATTERN.match('a')",
        "import numpy as np\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\ndef run(x: Tensor = None): return F, np, nn",
        "def run():\n    try:\n        import flash_attn_interface as fa\n    except ImportError:\n        fa = None\n    return fa",
        "import torch\n@torch.no_grad()\ndef run(x=None): torch.backends.cudnn.allow_tf32 = True; return x",
        "from pgolf import Component, Plugin, hookimpl\nPLUGIN = Plugin(name='a')\n@hookimpl\ndef mlp(settings): return Component(run)\ndef run(): return 1",
        "def run():\n    k = 2\n    return sorted([1, 2], key=lambda x: x % k)",
        "from torch import nn\nclass A(nn.Module):\n    '''Doc.'''\n    def __init__(self):\n        super().__init__()\ndef run(): return A()",
        "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return A.f(self) + super().f()\ndef run(): return B()",
        "import torch\ndef run(): return torch.load('a.pt', weights_only=True)",
        "def run(x=-1, y=(1, 'a'), *, z=None):\n    assert isinstance(x, int) and len(y) == 2, f'{x}'\n    return x",
        "def run():\n    s = {1, 2}\n    return sorted(s), len(s), 1 in s, all(x > 0 for x in s), {x for x in s}",
        "def run(x=None): setattr(x, 'name', 1); return getattr(x, 'na' + 'me')",
        "import time\ndef run(): return time.perf_counter()",
        "def run(x=1, w=3): return f'{x:0{w}d} {x!r} {{}}'",
        "class A:\n    def __init__(self):\n        self._cache = {}\n    @property\n    def size(self): return 1\n    @size.setter\n    def size(self, value): self._cache = value\ndef run(): return A()",
        "def unreached():\n    return eval('1')\ndef run(): return 1",
    ],
)  # fmt: skip
def test_good_code_passes(project, text):
    assert codes(project, text + "\n") == []


def test_findings_come_in_order_with_line_frame_and_help(project):
    modules = load(ENTRY, project({"sample": "def run():\n    eval('1')\n    return vars()\n"}))
    reach(modules)
    first, second = check(list(modules.values()))
    assert re.search(r"sample\.py:2:5$", first.where) and second.where.endswith(":3:12")
    assert first.frame == "    2 |     eval('1')\n      |     ^^^^"
    assert str(first).startswith("error[PG305]: 'eval'") and first.hint


def test_hooks_and_coroutines_are_refused_once_reached(project):
    hook = "from pgolf import hookimpl\n@hookimpl\ndef run(): return 1\n"
    assert set(codes(project, hook)) == {"PG302", "PG306"}
    assert set(codes(project, "async def run(): pass\n")) == {"PG301", "PG308"}


def test_packages_around_a_module_are_checked_too(project):
    found = codes(project, "X = 1\n", "from pack.inner import run\nif __name__ == '__main__':\n    run()\n",
                  **{"pack": "import os\nos.umask(0)\n", "pack.inner": "def run(): return 1\n"})  # fmt: skip
    assert found == ["PG301"]


def engine_file(name):
    folder = {"pgolf": "pgolf", "pgolf_plugins": "plugins"}.get(name.partition(".")[0])
    path = ROOT / f"{folder}/{name.partition('.')[2].replace('.', '/')}.py"
    return path if path.exists() else None


def test_the_engine_and_its_plugins_are_inside_the_subset():
    """Every function and class is taken as reached, except what uses pgolf's build-time names."""
    paths = [*(ROOT / "pgolf" / "runtime").glob("*.py"), *(ROOT / "plugins").glob("*/*.py")]
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).replace("plugins.", "pgolf_plugins.") for path in paths
    ]
    wanted = sorted(name for name in names if not name.endswith("__init__"))
    entry = "".join(f"from {name} import name{number}\n" for number, name in enumerate(wanted))
    modules = load(entry, engine_file)
    for module in modules.values():
        build_time = {name for name, binding in module.imports.items() if is_build_time(binding.module)}
        for statement in module.statements:
            statement.reached = not module.is_entry and bool(statement.declares) and not statement.uses & build_time
    assert [str(finding) for finding in check(list(modules.values()))] == []
