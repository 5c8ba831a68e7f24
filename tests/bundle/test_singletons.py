"""Classes of which one object is made, and code that runs at most once."""

import ast

import pytest

from pgolf.bundle.link import Owned
from pgolf.bundle.passes.singletons import Execution, singletons
from pgolf.bundle.program import Program

MAIN = "\nif __name__ == '__main__':\n    main()"


def found(code):
    """Names of the classes that qualify."""
    program = Program(Owned("m", node) for node in ast.parse(code + MAIN).body)
    return [single.definition.name for single in singletons(program, Execution(program).once)]


@pytest.mark.parametrize(
    ("body", "once"),
    [
        ("A()", True),
        ("if x:\n        A()", True),
        ("try:\n        x = A()\n    finally:\n        pass", True),
        ("with x:\n        print(A())", True),
        ("for i in x: A()", False),
        ("while x: A()", False),
        ("[A() for i in x]", False),
        ("(lambda: A())()", False),
        ("def inner(): A()", False),
        ("yield A()", False),
    ],
)
def test_what_runs_at_most_once(body, once):
    assert found(f"class A: pass\ndef main():\n    {body}") == ["A"] * once


@pytest.mark.parametrize(
    ("call", "once"),
    [("go()", True), ("go(), go()", False), ("for i in x: go()", False), ("map(go, x)", False), ("go = 3", False)],
)
def test_functions_that_run_at_most_once(call, once):
    assert found(f"class A: pass\ndef go(): A()\ndef main(): \n    {call}") == ["A"] * once


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        ("x = 1\n    y: int = 2\n    z = [1, 2]\n    def f(self): pass", True),
        ("'''Text.'''\n    @staticmethod\n    def f(): pass", True),
        ("x = len", False),
        ("x = lambda self: 1", False),
        ("x = 1\n    y = x", False),
        ("x = 1\n    def f(self, y=x): pass", False),
        ("def f(self): pass\n    def f(self): pass", False),
        ("def f(self): return super().f()", False),
        ("def f(self): return self.__x", False),
        ("def __len__(self): return 1", False),
        ("def f(self): self = 1", False),
        ("def f(): pass", False),
        ("@property\n    def f(self): pass", False),
        ("@classmethod\n    def f(cls): pass", False),
        ("if x: y = 1", False),
    ],
)
def test_classes_with_nothing_special(body, plain):
    assert found(f"class A:\n    {body}\ndef main(): A()") == ["A"] * plain


@pytest.mark.parametrize(
    ("head", "plain"),
    [
        ("class A:", True),
        ("class A(NamedTuple):", True),
        ("@dataclass\nclass A:", True),
        ("class A(B):", False),
        ("class A(Enum):", False),
        ("class A(metaclass=B):", False),
        ("@other\nclass A:", False),
    ],
)
def test_records_are_plain_and_other_bases_are_not(head, plain):
    assert found(f"{head}\n    x: int = 1\ndef main(): A()") == ["A"] * plain


def test_a_dataclass_that_does_something_when_it_is_made_is_not_plain():
    assert found("@dataclass\nclass A:\n    x: int\n    def __post_init__(self): print(1)\ndef main(): A(1)") == []
    assert found("@dataclass\nclass A:\n    x: ClassVar[int] = 1\ndef main(): A(1)") == []


def test_only_a_record_has_fields():
    code = "from typing import NamedTuple\nclass A:\n    x = 1\nclass B(NamedTuple):\n    a: int\n    b: int = 2\n"
    code += "def main():\n    A()\n    B(1)"
    program = Program(Owned("m", node) for node in ast.parse(code + MAIN).body)
    fields = {one.definition.name: one.fields for one in singletons(program, Execution(program).once)}
    assert fields == {"A": None, "B": ["a", "b"]}
