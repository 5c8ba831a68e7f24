"""Linking."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned, check, link, reach
from pgolf.bundle.names import reads_of, scopes
from pgolf.bundle.source import load
from pgolf.errors import PgolfError

MAIN = 'if __name__ == "__main__":\n    {}\n'


def linked(project, entry, sources):
    modules = load(entry, project(sources))
    reach(modules)
    return link(modules)


def test_only_reached_statements_are_taken(project):
    flat = linked(project, "from a import f\n" + MAIN.format("f()"), {
        "a": "from math import sqrt, sin\ndef g(): return sin(1)\ndef f(): return sqrt(h())\ndef h(): return 4\n",
    })  # fmt: skip
    assert flat.text.splitlines()[0] == "from math import sqrt"
    assert "def g" not in flat.text and "sin" not in flat.text and "from a" not in flat.text


def test_definitions_come_before_what_needs_them_while_it_is_defined(project):
    flat = linked(project, "from a import B\n" + MAIN.format("print(B())"), {
        "a": "from b import Base\nclass B(Base):\n    size = 3\n",
        "b": "from typing import NamedTuple\nLIMIT = 2\nclass Base:\n    field: LIMIT = 1\n",
    })  # fmt: skip
    order = [name for item in flat.statements for name in (getattr(item.node, "name", ""),) if name]
    assert order == ["Base", "B"] and flat.text.index("LIMIT = 2") < flat.text.index("class Base")


def test_modules_that_import_each_other_link_when_no_definition_waits(project):
    flat = linked(project, "from a import f\n" + MAIN.format("f(3)"), {
        "a": "from b import g\ndef f(n): return g(n)\n", "b": "from a import f\ndef g(n): return n and f(n - 1)\n",
    })  # fmt: skip
    assert "def f" in flat.text and "def g" in flat.text


def test_definitions_that_wait_for_each_other_are_refused(project):
    with pytest.raises(PgolfError) as caught:
        linked(project, "from a import A\n" + MAIN.format("A()"), {
            "a": "from b import B\nclass A(B):\n    pass\n", "b": "from a import A\nclass B(A):\n    pass\n",
        })  # fmt: skip
    assert caught.value.code == "PG302"


def test_external_imports_are_sorted_and_joined(project):
    flat = linked(project, "import zlib\nimport ast\nfrom a import f\n" + MAIN.format("f(zlib, ast)"), {
        "a": "from os import sep, curdir\nimport math as m\ndef f(*x): return sep, curdir, m\n",
    })  # fmt: skip
    assert flat.text.splitlines()[:2] == ["import ast, math as m, zlib", "from os import curdir, sep"]


def test_local_names_may_repeat_top_level_names_of_other_modules(project):
    flat = linked(project, "from a import f\nfrom b import g\n" + MAIN.format("f(1), g()"), {
        "a": "def f(g):\n    sqrt = g\n    return sqrt\n", "b": "from math import sqrt\ndef g(): return sqrt(1)\n",
    })  # fmt: skip
    assert "def f(g)" in flat.text


@pytest.mark.parametrize("source", ["X = 1\n", "from math import sqrt as missing\n"])
def test_an_import_that_leads_nowhere_is_refused(project, source):
    with pytest.raises(PgolfError) as caught:
        linked(project, "from a import missing\n" + MAIN.format("missing()"), {"a": source})
    assert caught.value.code == "PG202"


def test_the_check_sees_a_missing_a_doubled_and_an_internal_statement(project):
    sources = {"a": "def f(): return g()\ndef g(): return 1\n"}
    modules = load("from a import f\n" + MAIN.format("f()"), project(sources))
    reach(modules)
    flat = link(modules)
    for wrong in (flat.statements[1:], (*flat.statements, flat.statements[0])):
        with pytest.raises(PgolfError) as caught:
            check(Flat(tuple(wrong)), modules)
        assert caught.value.code == "PG401"
    left = Owned("imports", modules["__main__"].tree.body[0])
    with pytest.raises(PgolfError, match="internal import"):
        check(Flat((left, *flat.statements[1:])), modules)


def test_the_scopes_that_link_hands_on_are_those_of_the_statements(project):
    sources = {
        "a": "def f(x: int): return clamp(x)\ndef clamp(x): return x",
        "b": "def clamp(x): return [x for _ in f()]\ndef f(): return ()",
    }
    flat = linked(project, "from a import f\nfrom b import clamp\n" + MAIN.format("print(f(1), clamp(2))"), sources)
    functions = [item.node for item in flat.statements if isinstance(item.node, ast.FunctionDef)]
    assert {node.name for node in functions} == {"f", "clamp", "f_2", "clamp_2"} and set(
        functions
    ) <= flat.scoped.keys()
    for node, (scope, places) in flat.scoped.items():
        assert reads_of(scope) == reads_of(scopes(node)[0])
        assert {*places} == {*scopes(node)[1]}


def test_a_second_link_of_the_same_modules_gets_trees_and_scopes_of_its_own(project):
    modules = load("from a import f\n" + MAIN.format("f()"), project({"a": "def f(): return g()\ndef g(): return 1\n"}))
    reach(modules)
    first, second = link(modules), link(modules)
    assert first.text == second.text and first.scoped.keys().isdisjoint(second.scoped)
    nodes = {node for node in second.scoped if isinstance(node, ast.FunctionDef)}
    assert all(nodes.isdisjoint(scope.bound[node.name]) for node, (scope, _) in first.scoped.items() if node in nodes)
    assert all(second.scoped[node][0].bound[node.name] == [node] for node in nodes)
