"""What the rules see: the meaning of each name, and the code that will be in the built file."""

import ast

import pytest
from rule_codes import ENTRY

from pgolf.bundle.link import reach
from pgolf.bundle.source import load
from pgolf.bundle.view import View, call_target, is_dataclass, is_record, methods_of, walk_code

SAMPLE = """
import math
import numpy as np
from dataclasses import dataclass
from typing import NamedTuple
from torch import nn
from other import VALUE, Base
from pgolf import hookimpl
LIMIT: int = 3
class Row(NamedTuple):
    x: int
@dataclass(frozen=True)
class Data:
    y: int
class Child(Base):
    def own(self): return 1
def run(x: Row = None) -> Row:
    import lzma
    local: int = x
    inner = lambda y: y + LIMIT
    return nn.Linear, np.linalg.norm, VALUE, len, local.size, Child.inherited, Child.own, Child.gone, Data, Row, inner
def unreached(): return eval
"""
OTHER = "VALUE = 1\nclass Base:\n    def inherited(self): return 2\n"


@pytest.fixture
def view(project):
    modules = load(ENTRY, project({"sample": SAMPLE, "other": OTHER}))
    reach(modules)
    return View(modules["sample"], modules, methods_of(modules.values()))


def expression(view, text):
    """The first name or attribute of the reached code with this text."""
    return next(node for node in view.code(ast.Attribute, ast.Name) if ast.unparse(node) == text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("nn.Linear", "torch.nn.Linear"), ("np.linalg.norm", "numpy.linalg.norm"), ("len", "builtins.len")),
        *(("VALUE", "internal:VALUE"), ("Child", "internal:Child"), ("LIMIT", "internal:LIMIT"), ("local", "")),
        *(("local.size", ""), ("y", ""), ("Child.own", "internal:Child.own")),
    ],
)
def test_full_names(view, text, name):
    assert view.full(expression(view, text)) == name
    assert view.full(expression(view, text)) == name, "and the same when it is asked again"


def test_names_by_their_meaning(view):
    assert [ast.unparse(node) for node in view.names["torch.nn.Linear"]] == ["nn.Linear"]
    assert {ast.unparse(node) for node in view.named(lambda name: name.startswith("numpy"))} == {
        "np",
        "np.linalg",
        "np.linalg.norm",
    }
    assert "builtins.eval" not in view.names, "what is not reached is no code"


def test_code_has_no_annotations_and_the_whole_has_them(view):
    assert not [node for node in view.code(ast.Name) if node.id == "Row" and node.lineno == 16]
    assert len([node for node in view.whole[ast.Name] if node.id == "Row"]) == 3


def test_walking_code_is_in_source_order():
    tree = ast.parse("def f(a: int, b=c) -> d:\n    return e")
    names = [getattr(node, "id", getattr(node, "arg", "")) for node in walk_code(tree)]
    assert [name for name in names if name] == ["a", "b", "c", "e"]


def test_methods_of_a_class_and_its_bundled_bases(view):
    assert view.method(expression(view, "Child.own")).name == "own"
    assert view.method(expression(view, "Child.inherited")).name == "inherited"
    assert view.method(expression(view, "Child.gone")) is None
    assert view.method(expression(view, "local.size")) is None
    assert {name: len(nodes) for name, nodes in view.methods.items()} == {"own": 1, "inherited": 1}


def test_definitions_here_and_where_they_are_imported_from(view):
    assert view.definition("Child").name == "Child" and view.definition("Base").name == "Base"
    assert isinstance(view.definition("VALUE"), ast.Assign) and view.definition("nothing") is None
    assert view.definition("math") is None


def test_imports_of_the_module_and_of_reached_functions(view):
    found = [ast.unparse(node) for node in view.imports()]
    assert "import math" in found and "import lzma" in found and len(found) == 8
    assert [view.is_internal(name) for name in ("other", "pgolf.runtime.train", "pgolf", "torch")] == [
        True,
        True,
        True,
        False,
    ]


def test_functions_and_what_is_in_them(view):
    found = {getattr(node, "name", "lambda"): scope for node, scope in view.functions()}
    assert set(found) == {"own", "run", "lambda"} and all(scope.kind == "function" for scope in found.values())
    (inner,) = view.code(ast.Lambda)
    assert view.function_around(inner).name == "run" and view.function_around(inner.body) is inner
    assert view.function_around(view.definition("LIMIT")) is None


def test_assignments(view):
    found = {ast.unparse(target): ast.unparse(value) for target, value in view.assigned if isinstance(target, ast.Name)}
    assert {"LIMIT", "local", "inner"} <= set(found) and found["local"] == "x" and found["LIMIT"] == "3"


def test_records_and_dataclasses(view):
    kinds = {
        name: (is_record(view, view.definition(name)), is_dataclass(view, view.definition(name)))
        for name in ("Row", "Data", "Child")
    }
    assert kinds == {"Row": (True, False), "Data": (False, True), "Child": (False, False)}
    call = ast.parse("f(1)").body[0].value
    assert call_target(call) is call.func and call_target(call.func) is call.func
