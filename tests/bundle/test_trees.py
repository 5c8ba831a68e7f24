"""The fast walks agree with those of `ast`."""

import ast
from pathlib import Path

import pytest

from pgolf.bundle.names import bound_name, scopes
from pgolf.bundle.trees import GAPS, MANY, ONE, SHAPES, Transformer, copy_tree, parents, walk
from pgolf.runtime import program

FEATURES = """
import os.path, sys as system
from a import b as c
@deco(1, key=2)
class K(Base, metaclass=M):
    x: int = 3
    def f(self, a, /, b: int = 1, *rest, c, d=None, **more) -> None:
        global g
        g = lambda y, *z: y if not z else -y ** 2
        with open("f") as file, lock: yield from file
        for i, (j, k) in enumerate(rest): i += j; break
        else: del a[1:2, ...], b.c
        try: assert a, b
        except (E, F) as error: raise X from error
        except G: pass
        finally: return {**more, "k": [*rest]}, {1}, f"{a!r:>{b}}"
        def inner():
            nonlocal d
            d = (w := 3) and [x async for x in y if x for z in x]
async def g(s):
    while await s: continue
    match s:
        case {"k": v, **rest} if v: pass
        case [1, *others] | K(x=2) | (None as n): pass
        case _: pass
"""
SOURCES = [FEATURES, *(path.read_text() for path in sorted(Path(program.__file__).parent.glob("[a-m]*.py")))]
SKIPPED = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)


@pytest.mark.parametrize("text", SOURCES)
def test_walk_is_that_of_ast_without_operators(text):
    tree = ast.parse(text)
    assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, SKIPPED)]


@pytest.mark.parametrize("text", SOURCES)
def test_parents_are_right(text):
    tree = ast.parse(text)
    wanted = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    assert parents(tree) == {child: node for child, node in wanted.items() if not isinstance(child, SKIPPED)}


@pytest.mark.parametrize("text", SOURCES)
def test_a_copy_is_equal_and_shares_no_node(text):
    tree = ast.parse(text)
    tree.body[0].note = "hung on"
    copied = copy_tree(tree)
    assert ast.dump(copied, include_attributes=True) == ast.dump(tree, include_attributes=True)
    shared = set(walk(copied)) & set(walk(tree))
    assert not any(node._fields for node in shared) and not hasattr(copied.body[0], "note")
    assert not {id(node.body) for node in walk(tree) if isinstance(node, ast.FunctionDef)} & {
        id(node.body) for node in walk(copied) if isinstance(node, ast.FunctionDef)
    }


def test_a_copy_keeps_fields_missing():
    node = ast.Name(id="x")
    assert not hasattr(copy_tree(node), "lineno") and copy_tree(node).id == "x"


class _Old(ast.NodeTransformer):
    def visit_Name(self, node):
        return ast.Constant(1) if node.id == "a" else node

    def visit_Pass(self, node):
        return None

    def visit_Continue(self, node):
        return [ast.Break(), ast.Break()]

    def visit_Constant(self, node):
        return ast.Constant((node.value, 1))


class _New(Transformer):
    visit_Name, visit_Pass, visit_Continue = _Old.visit_Name, _Old.visit_Pass, _Old.visit_Continue
    visit_Constant = _Old.visit_Constant


@pytest.mark.parametrize("text", SOURCES)
def test_a_transformer_does_what_that_of_ast_does(text):
    old, new = _Old().visit(ast.parse(text)), _New().visit(ast.parse(text))
    assert ast.dump(old) == ast.dump(new) != ast.dump(ast.parse(text))


def test_a_subclass_has_handlers_of_its_own():
    class Leave(_New):
        def visit_Name(self, node):
            return node

    assert ast.dump(_New().visit(ast.parse("a"))) != ast.dump(ast.parse("a"))
    assert ast.dump(Leave().visit(ast.parse("a"))) == ast.dump(ast.parse("a"))


@pytest.mark.parametrize("text", SOURCES)
def test_bound_names_are_those_of_the_scopes(text):
    tree = ast.parse(text)
    found = [(name, node) for scope in scopes(tree)[0].walk() for name, nodes in scope.bound.items() for node in nodes]
    wanted = [(bound_name(node), node) for node in ast.walk(tree) if bound_name(node) is not None]
    assert sorted(found, key=lambda pair: id(pair[1])) == sorted(wanted, key=lambda pair: id(pair[1]))


def test_an_overridden_visit_sees_every_node():
    class Seen(Transformer):
        def __init__(self):
            self.nodes = []

        def visit(self, node):
            self.nodes.append(node)
            return super().visit(node)

    tree, seen = ast.parse(FEATURES), Seen()
    seen.visit(tree)
    assert set(seen.nodes) == set(walk(tree)) and len(seen.nodes) == len(walk(tree))


def test_every_class_of_node_says_what_its_fields_hold():
    kinds = [kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST)]
    for kind in kinds:
        if kind.__module__ == "ast" and "Deprecated" not in (kind.__doc__ or "") and kind is not ast.AST:
            assert {name for name, _ in SHAPES[kind]} <= set(kind._fields)
    assert dict(SHAPES[ast.Call]) == {"func": ONE, "args": MANY, "keywords": MANY}
    assert dict(SHAPES[ast.Dict]) == {"keys": GAPS, "values": MANY} and SHAPES[ast.MatchSingleton] == ()
