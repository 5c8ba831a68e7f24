# ruff: noqa: E501 (each sample is one line, however long)
"""Scopes against what the compiler's own symbol table says."""

import ast
import symtable

import pytest

from pgolf.bundle.names import copy_tree, reads_of, scopes

SNIPPETS = [
    "def f(a, b=c, *d, e=g, **h):\n    i = a + j\n    return [k for k in i if (m := k) and n], m",
    "class A(B, metaclass=C):\n    x = y\n    def f(self): return x, self.z\n    w = [x for _ in q]",
    "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = y\n        return lambda z: x + z + w\n    return g",
    "def f():\n    global G\n    G = 1\n    return G, H",
    "def f(x):\n    match x:\n        case {'a': a, **rest}: return a, rest\n        case [1, *more] | K(more): return more\n        case y: return y",
    "def f():\n    try:\n        import os.path as p, sys\n    except E as e:\n        return e, p, sys\n    with o() as (q, r), s as t: del q",
    "def f():\n    yield x\n    for a.b in c: pass\n    return {k: v for k, v in d for d in e}",
    "@dec\ndef f(x: ann = dflt) -> ret:\n    y: local = x",
]  # fmt: skip


def expected_globals(table):
    """Names that some scope of a symbol table reads from the top level or the builtins."""
    found = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
    }
    return found.union(*(expected_globals(child) for child in table.get_children()))


@pytest.mark.parametrize("text", SNIPPETS)
def test_global_reads_agree_with_the_compiler(text):
    declared = {"f", "A"}
    mine = reads_of(scopes(ast.parse(text))[0]) - declared
    theirs = expected_globals(symtable.symtable(text, "t", "exec")) - declared
    assert theirs <= mine and mine - theirs <= {"local"}


def test_eager_reads_are_those_of_definition_time():
    text = "@dec\ndef f(x: ann = dflt) -> ret:\n    return later"
    assert reads_of(scopes(ast.parse(text))[0], now=True) == {"dec", "ann", "dflt", "ret"}
    assert reads_of(
        scopes(ast.parse("class A(B):\n    x: T = y\n    def f(self, z=w): return later"))[0], now=True
    ) == {
        "B",
        "T",
        "y",
        "w",
    }


def test_a_walrus_in_a_comprehension_binds_in_the_function():
    tree = ast.parse("def f(xs):\n    return [y for x in xs if (y := x)], y")
    function = scopes(tree)[0].children[0]
    assert set(function.bound) == {"xs", "y"} and set(function.children[0].bound) == {"x"}


def test_copies_are_equal_and_share_no_node_with_fields():
    tree = ast.parse(SNIPPETS[0])
    copied = copy_tree(tree)
    assert ast.dump(copied, include_attributes=True) == ast.dump(tree, include_attributes=True)
    assert not {id(node) for node in ast.walk(tree) if node._fields} & {id(node) for node in ast.walk(copied)}
