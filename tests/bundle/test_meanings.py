# ruff: noqa: E501 (each sample is one line, however long)
"""Names that would mean two things in the flat module."""

import ast

import pytest

from pgolf.bundle.link import link, reach
from pgolf.bundle.pipeline import DUMPS, build
from pgolf.bundle.rules.subset import check
from pgolf.bundle.source import load, make_absolute
from pgolf.errors import PgolfError

ENTRY = """from a import f
from b import g
if __name__ == "__main__":
    print(f(4), g(4))
"""
PAIRS = {
    "two helpers": (
        "def clamp(x): return min(x, 3)\ndef f(x): return clamp(x)\n",
        "def clamp(x): return max(x, 9)\ndef g(x): return clamp(x)\n",
    ),
    "a builtin": ("def f(x): return len('a' * x)\n", "def len(x): return 0\ndef g(x): return len('a') + x\n"),
    "an import": (
        "from math import sqrt\ndef f(x): return sqrt(x)\n",
        "def sqrt(x): return 0\ndef g(x): return sqrt(x)\n",
    ),
    "an import and a builtin": (
        "from math import pow\ndef f(x): return pow(x, 2)\n",
        "def g(x): return pow(x, 2, 5)\n",
    ),
    "two imports": ("import math as m\ndef f(x): return m.pi\n", "import cmath as m\ndef g(x): return m.sqrt(-x)\n"),
    "read by a class body": (
        "def label(): return 1\nclass A:\n    show = label\ndef f(x): return A.show()\n",
        "def label(): return 2\nclass B:\n    kind = 0\ndef g(x): return label()\n",
    ),
    "a member of the name": (
        "def scale(x): return x\nclass A:\n    def scale(self, x): return scale(x) + 1\ndef f(x): return A().scale(x)\n",
        "def scale(x): return -x\nclass B:\n    def scale(self, x): return scale(x) + 1\ndef g(x): return B().scale(x)\n",
    ),
    "a variable of the new name": (
        "def clamp(x, clamp_2=1): return min(x, 3) + clamp_2\ndef f(x): return clamp(x)\n",
        "def clamp(x): return max(x, 9)\ndef g(clamp_2): return clamp(clamp_2) + sum(clamp(clamp_3) for clamp_3 in (1, 2))\n",
    ),
    "constants": ("LIMIT = 3\nTWICE = LIMIT * 2\ndef f(x): return TWICE\n", "LIMIT = 5\ndef g(x, k=2): return LIMIT * k\n"),
    "classes and bases": (
        "class Base:\n    def go(self): return 1\nclass A(Base):\n    def go(self): return super().go() + 1\ndef f(x): return A().go()\n",
        "class Base:\n    def go(self): return 5\nclass B(Base):\n    def go(self): return super().go() + 1\ndef g(x): return B().go()\n",
    ),
    "local functions": (
        "def inner(x): return x\ndef f(x):\n    def inner(y): return y + x\n    return inner(x)\n",
        "def inner(x): return -x\ndef g(x): return [inner(inner) for inner in (lambda y: 3,)][0] if x < 0 else inner(x)\n",
    ),
    "another name for the program's own": (
        "from b import clamp as held\ndef clamp(x): return 0\ndef f(clamp): return held(clamp)\n",
        "def clamp(x): return max(x, 9)\ndef g(x): return clamp(x)\n",
    ),
    "another name that hides nothing": (
        "from b import clamp as held\ndef f(x): return held(x)\n",
        "def clamp(x): return max(x, 9)\ndef g(x): return clamp(x)\n",
    ),
    "one object by three names": (
        "import os.path as p\nfrom os import path\ndef f(x): return p.sep + path.sep\n",
        "from os import path as p\ndef g(x): return p.sep\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_names_are_kept_apart(project, run_file, tmp_path, name):
    one, two = PAIRS[name]
    find_source = project({"a": one, "b": two})
    built = build(ENTRY, find_source)
    live = run_file(built.dumps["0_live.py"], path=tmp_path)
    for stage in DUMPS[1:]:
        assert run_file(built.dumps[stage], "-I") == live, stage


@pytest.mark.parametrize("name", PAIRS)
def test_the_rules_see_nothing_wrong_in_them(project, name):
    one, two = PAIRS[name]
    modules = load(ENTRY, project({"a": one, "b": two}))
    reach(modules)
    assert check(list(modules.values())) == []


@pytest.mark.parametrize("name", PAIRS)
def test_the_order_of_imports_does_not_decide(project, name):
    one, two = PAIRS[name]
    find_source = project({"a": one, "b": two})
    swapped = ENTRY.replace("from a import f\nfrom b import g", "from b import g\nfrom a import f")
    texts = [text_of(entry, find_source) for entry in (ENTRY, swapped)]
    assert [sorted(text.splitlines()) for text in texts[:1]] == [sorted(text.splitlines()) for text in texts[1:]]


def text_of(entry, find_source, known=None):
    modules = load(entry, find_source, known)
    reach(modules)
    return link(modules).text


def test_modules_that_are_used_again_stay_as_they_were(project):
    one, two = PAIRS["two helpers"]
    find_source = project({"a": one, "b": two})
    modules = load(ENTRY, find_source)
    reach(modules)
    first = link(modules).text
    alone = "from b import g\nif __name__ == '__main__':\n    print(g(1))\n"
    assert "clamp_2" in first and text_of(ENTRY, find_source, modules) == first
    assert "clamp_2" not in text_of(alone, find_source, load(ENTRY, find_source, modules))


def test_one_import_of_one_object(project):
    one = "import os.path as path\ndef f(x): return path.sep\n"
    two = "from os import path\ndef g(x): return path.sep\n"
    text = text_of(ENTRY, project({"a": one, "b": two}))
    assert text.count("import") == 1 and "from os import path\n" in text


def test_the_runtime_keeps_its_names(project):
    find_source = project({
        "pgolf.runtime.lib": "def clamp(x): return 1\ndef g(x): return clamp(x)\n",
        "pgolf.runtime": "", "pgolf": "", "a": "def clamp(x): return 2\ndef f(x): return clamp(x)\n",
    })  # fmt: skip
    text = text_of(ENTRY.replace("from b", "from pgolf.runtime.lib"), find_source)
    assert "def clamp_2(x):\n    return 2" in text and "def clamp(x):\n    return 1" in text


def test_a_missing_name_is_still_an_error(project):
    with pytest.raises(PgolfError) as caught:
        text_of(ENTRY, project({"a": "from b import gone as f\n", "b": "def g(x): return x\n"}))
    assert caught.value.code == "PG202"


def test_relative_imports_of_the_package(project, run_file, tmp_path):
    find_source = project({
        "kit": "", "kit.one": "from .two import SIZE\nfrom .sub.deep import depth as inner\ndef f(x): return SIZE + inner()\n",
        "kit.two": "SIZE = 3\n", "kit.sub": "", "kit.sub.deep": "from ..two import SIZE\ndef depth(): return SIZE * 10\n",
    })  # fmt: skip
    built = build('from kit.one import f\nif __name__ == "__main__":\n    print(f(1))\n', find_source)
    assert run_file(built.code, "-I") == run_file(built.dumps["0_live.py"], path=tmp_path) == "33\n"


@pytest.mark.parametrize(
    ("text", "package", "module", "level"),
    [
        ("from . import x", "a.b", "a.b", 0),
        ("from .c import x", "a.b", "a.b.c", 0),
        ("from ..c import x", "a.b", "a.c", 0),
        ("from ...c import x", "a.b", "c", 3),
        ("from .c import x", "", "c", 1),
    ],
)
def test_make_absolute(text, package, module, level):
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.ImportFrom)
    make_absolute(node, package)
    assert (node.module, node.level) == (module, level)
