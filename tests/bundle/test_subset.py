# ruff: noqa: E501 (each sample is one line, however long)
"""The rules: every known-bad module yields its code and no other, and the look-alikes of each rule pass."""

import re
from pathlib import Path

import pytest

from pgolf.bundle.link import reach
from pgolf.bundle.rules.subset import RULES, check
from pgolf.bundle.source import is_build_time, load
from pgolf.errors import CODES

ROOT = Path(__file__).parents[2]
REJECTED = sorted((ROOT / "tests" / "rejected").glob("PG3*.py"))
ENTRY = 'from sample import run\nif __name__ == "__main__":\n    run()\n'
RECORD_ENTRY = """from typing import NamedTuple
from sample import run
class Settings(NamedTuple):
    depth: int
class Program(NamedTuple):
    taps: tuple
SETTINGS = Settings(depth=3)
def make_program():
    return Program(taps=())
if __name__ == "__main__":
    run(SETTINGS, make_program())
"""


def codes(project, text, entry=ENTRY, **others):
    """Codes that a module called `sample` yields."""
    modules = load(entry, project({"sample": text, **others}))
    reach(modules)
    return [finding.code for finding in check(list(modules.values()))]


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_a_rejected_module_yields_its_code_alone(project, path):
    assert set(codes(project, path.read_text())) == {path.name[:5]}


def test_every_rule_has_a_rejected_module():
    assert {path.name[:5] for path in REJECTED} == set(RULES) == {code for code in CODES if code.startswith("PG3")}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("PG301", "helper = 3\ndef run(): return helper"),
        ("PG301", "if 1:\n    X = 2\ndef run(): pass"),
        ("PG301", "try:\n    import torch\nexcept ImportError:\n    pass\ndef run(): pass"),
        ("PG301", "A = B = 1\ndef run(): pass"),
        ("PG301", "X = lambda: 3\ndef run(): return X()"),
        ("PG301", "X = (Y := 3)\ndef run(): return X"),
        ("PG301", "class A:\n    for i in (1, 2):\n        pass\ndef run(): return A()"),
        ("PG301", "class A:\n    x = [i for i in (1, 2)]\ndef run(): return A()"),
        ("PG301", "SIZE = 1\nclass A:\n    SIZE = SIZE\ndef run(): return A"),
        ("PG301", "from typing import NamedTuple\nclass A(NamedTuple):\n    bytes: int\n    data: bytes\ndef run(): return A"),
        ("PG301", "def make(): return 1\nX = make()\ndef run(): return X"),
        ("PG301", 'if __name__ == "__main__":\n    pass\ndef run(): pass'),
        ("PG301", "X = 1\ndel X\ndef run(): pass"),
        ("PG302", "import other\ndef run(): return other"),
        ("PG302", "from other import *\ndef run(): return 1"),
        ("PG302", "def run():\n    from other import VALUE\n    return VALUE"),
        ("PG302", "from pgolf.runtime.nowhere import thing\ndef run(): return thing"),
        ("PG302", "from other import VALUE\nfrom other.inner import thing\ndef run(): return thing, VALUE"),
        ("PG302", "from pgolf import Component\ndef run(): return Component"),
        ("PG303", "import os.path\ndef run(): return os.path.sep"),
        ("PG303", "from math import *\ndef run(): return 1"),
        ("PG303", "def run():\n    import json\n    return json"),
        ("PG303", "import urllib\ndef run(): return urllib.parse.quote('a')"),
        ("PG303", "import torch\ndef run(): return torch.nn.attention.flex_attention.flex_attention"),
        ("PG304", "def run(): return 1\ndef run(): return 2"),
        ("PG304", "from math import sqrt\ndef sqrt(x): return x\ndef run(): return sqrt(1)"),
        ("PG304", "class A:\n    x = 1\ndef run():\n    A.x = 2"),
        ("PG304", "CACHE = {}\ndef run():\n    CACHE['a'] = 1"),
        ("PG304", "CACHE = []\ndef run():\n    CACHE.append(1)"),
        ("PG304", "from other import VALUE\ndef run():\n    VALUE.x = 1"),
        ("PG304", "class A:\n    n = 0\n    def step(self):\n        type(self).n += 1\ndef run(): return A()"),
        ("PG305", "def run(): return globals()['run']"),
        ("PG305", "def run():\n    show = locals\n    return show()"),
        ("PG305", "import inspect\ndef run(): return inspect.getsource(run)"),
        ("PG305", "import torch\ndef run(name='relu'): return getattr(torch, name)"),
        ("PG305", "import sys\ndef run(): return sys.modules['torch']"),
        ("PG305", "import torch\ndef run(): return torch.jit.script(run)"),
        ("PG306", "import functools\n@functools.singledispatch\ndef run(x=0): return x"),
        ("PG307", "def run():\n    x: int\n    x = 1\n    return x"),
        ("PG307", "import typing\ndef run(): return typing.get_type_hints(run)"),
        ("PG307", "import torch\n@torch.library.custom_op('a::b', mutates_args=())\ndef op(x): return x\ndef run(): return op(1)"),
        ("PG308", "def run():\n    async def inner(): pass\n    return inner"),
        ("PG308", "def run():\n    x = 1\n    f = lambda: x\n    x = 2\n    return f()"),
        ("PG308", "def run():\n    fs = []\n    for i in range(3):\n        i = i + 1\n        fs.append(lambda: i)\n    return fs"),
        ("PG308", "def run(): return [y for x in 'ab' if (y := x)]"),
        ("PG308", "def run():\n    n = 0\n    def f():\n        nonlocal n\n        n = 1\n    return f"),
        ("PG309", "class A(dict):\n    pass\ndef run(): return A()"),
        ("PG309", "class A:\n    pass\nclass B:\n    pass\nclass C(A, B):\n    pass\ndef run(): return C()"),
        ("PG309", "class A:\n    def __getattr__(self, name): return 1\ndef run(): return A()"),
        ("PG310", "class A:\n    def __secret(self): return 1\ndef run(): return A()"),
        ("PG310", "class A:\n    def f(self): return 1\ndef run(): return A.f"),
        ("PG310", "class A:\n    def f(self): return [super().f() for _ in 'a']\ndef run(): return A()"),
        ("PG310", "class A:\n    def f(self): return super(A, self)\ndef run(): return A()"),
        ("PG309", "from typing import TypedDict\nclass A(TypedDict):\n    x: int\ndef run(): return A(x=1)"),
        ("PG309", "class A(ValueError, KeyError):\n    pass\ndef run(): return A()"),
        ("PG311", "from dataclasses import dataclass\n@dataclass(slots=True)\nclass A:\n    x: int\ndef run(): return A(1)"),
        ("PG311", "from dataclasses import dataclass, InitVar\n@dataclass\nclass A:\n    x: InitVar[int]\ndef run(): return A(1)"),
        ("PG311", "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: list = []\ndef run(): return A(1)"),
        ("PG312", "def run(): return run.__doc__"),
        ("PG312", "def run(): return __file__"),
        ("PG312", "class A:\n    def f(self): return __class__\ndef run(): return A()"),
        ("PG312", "def run(): return undefined_name"),
        ("PG313", "import torch\ndef run(): return torch.load('a.pt')"),
        ("PG313", "import torch\ndef run(): return torch.load('a.pt', weights_only=False)"),
        ("PG314", "def run(x=[]): return x"),
        ("PG314", "SIZE = 3\ndef run(x=[SIZE]): return x"),
        ("PG314", "def run(x=sorted((1, 2))): return x"),
        ("PG314", "def run(x=lambda: 1): return x"),
        ("PG314", "class A:\n    def f(self, *, x={}): return x\ndef run(): return A()"),
        ("PG315", "def run():\n    assert (n := 3)\n    return n"),
        ("PG316", "def run(): return list({1, 2})"),
        ("PG316", "def run(): return ', '.join({'a', 'b'})"),
        ("PG316", "def run():\n    seen = set()\n    seen.add(1)\n    for x in seen | {2}:\n        return x"),
        ("PG316", "class A:\n    def __init__(self):\n        self.s = set()\n    def f(self): return [x for x in self.s]\ndef run(): return A()"),
        ("PG316", "def run():\n    a, b = {1, 2}\n    return a"),
        ("PG316", "NAMES = frozenset(('a', 'b'))\ndef run(): return tuple(NAMES)"),
        ("PG319", "def run(x=None): return object.__setattr__(x, 'a', 1)"),
        ("PG319", "def run(): return type('A', (), {})"),
        ("PG320", "import os\nHOME = os.environ.get('HOME')\ndef run(): return HOME"),
        ("PG320", "import torch\nX = torch.rand(3)\ndef run(): return X"),
        ("PG320", "import time\ndef run(now=time.time()): return now"),
        ("PG321", "def run(x=None): return f'{x:{x[\"w\"]}.{x[\"p\"]}}'"),
        ("PG321", "def run(x=None): return f'{x[b\"a\"]:{x}{x}}'"),
    ],
)  # fmt: skip
def test_bad_code_yields_its_code_alone(project, code, text):
    assert set(codes(project, text + "\n", other="VALUE = 1\n")) == {code}


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


@pytest.mark.parametrize(
    "text",
    [
        "def run(settings, program): print(settings)",
        "def run(settings, program): return [x for x in settings]",
        "def run(settings, program): return settings._asdict()",
        "def run(settings, program): return settings == program",
        "def run(settings, program): settings.depth = 4",
        "def run(settings, program): program.taps[0] = 4",
        "def run(settings, program): return inner(program)\ndef inner(settings): return settings.depth",
        "def run(settings, program): return inner(3)\ndef inner(settings): return settings",
        "def run(settings, program): return inner(settings)\ndef inner(cfg): return cfg.depth",
        "def run(settings, program): return inner(settings=3)\ndef inner(settings): return settings",
        "def run(settings, program): return inner(*[settings])\ndef inner(settings): return settings.depth",
        "def run(settings, program): return list(map(inner, [1]))\ndef inner(settings): return settings.depth",
        "def run(settings, program):\n    for settings in (1, 2):\n        pass",
        "def run(settings, program): return [settings for settings in (1, 2)]",
        "def run(settings, program): return (settings := 3)",
        "def run(settings, program):\n    del settings",
        "def run(settings, program):\n    with open('a') as settings:\n        pass",
        "def run(settings, program): return (lambda settings: settings.depth)(3)",
        "def run(settings, program): return {'s': settings}",
        "def run(settings, program): return program.taps[0](settings)",
        "class A:\n    def f(self, settings): return settings.depth\ndef run(settings, program): return A().f(4)",
        "class A:\n    def f(self, settings): return settings.depth\ndef run(settings, program): return map(A().f, [4])",
        "class A:\n    def __init__(self, settings):\n        self.cfg = settings\ndef run(settings, program): return A(settings)",
        "from typing import NamedTuple\nclass A(NamedTuple):\n    settings: object\ndef run(settings, program): return A(3)",
        "import torch\ndef run(settings, program): return torch.settings.depth",
        "import json\ndef run(settings, program): return json.dumps(settings)",
        "def run(settings, program): return getattr(settings, 'depth')",
    ],
)  # fmt: skip
def test_misuse_of_the_records_is_refused(project, text):
    assert set(codes(project, text + "\n", RECORD_ENTRY)) == {"PG317"}


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __init__(self, settings, program):\n        self.settings, self.program = settings, program\n"
        "    def f(self): return self.settings.depth\ndef run(settings, program): return A(settings, program).f()",
        "def run(settings, program): return inner(settings, k=1) + inner(settings=settings)\n"
        "def inner(settings, k=0): return settings.depth + k",
        "from functools import partial\ndef run(settings, program): return partial(inner, settings)()\n"
        "def inner(settings): return settings.depth",
        "class A:\n    def __init__(self, settings):\n        self.settings = settings\n"
        "def run(settings, program):\n    a = A(settings)\n    settings = a.settings\n    return settings.depth",
    ],
)
def test_proper_use_of_the_records_passes(project, text):
    assert codes(project, text + "\n", RECORD_ENTRY) == []


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
