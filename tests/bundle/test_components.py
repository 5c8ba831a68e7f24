"""Functions that the entry chose are written where the program asks for them, unless the name means something else there."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import specialize
from pgolf.bundle.shake import shake
from pgolf.bundle.specialize.substitute import substitute

TEXT = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
class Program(NamedTuple):
    mlp: object
    one: tuple
    two: tuple
    made: object
def square(x): return x * x
def double(x): return x + x
class Made:
    def __init__(self): pass
SETTINGS = Settings(depth=4)
def make_program():
    return Program(mlp=square, one=(double,), two=(double, square), made=Made())
{code}
if __name__ == '__main__':
    print(run(SETTINGS, make_program(), 3))
"""


def parts(code):
    nodes = ast.parse(TEXT.format(code=code)).body
    entry = {"SETTINGS", "make_program", ""}
    names = [getattr(node, "name", getattr(getattr(node, "targets", [None])[0], "id", "")) for node in nodes]
    return Flat(
        tuple(Owned("__main__" if name in entry else "m", node) for name, node in zip(names, nodes, strict=True))
    )


def run_body(body, head="def run(settings, program, x):"):
    lines = "\n".join("    " + line for line in body.split("\n"))
    result, _ = substitute(parts(f"{head}\n{lines}"))
    node = next(item.node for item in result.statements if getattr(item.node, "name", "") == "run")
    return "\n".join(ast.unparse(item) for item in node.body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return program.mlp(x)", "return square(x)"),
        ("return x.program.mlp", "return square"),
        ("return program.mlp is None", "return False"),
        ("for f in program.one:\n    x = f(x)\nreturn x", "x = double(x)\nreturn x"),
        ("for f in program.one:\n    for y in x:\n        y(f)\nreturn x", "for y in x:\n    y(double)\nreturn x"),
        ("return tuple(f(x) for f in ())", "return ()"),
        ("for f in tuple(f for f in ()):\n    x = 1\nreturn x", "return x"),
    ],
)
def test_functions_are_put_in(before, after):
    assert run_body(before) == after


@pytest.mark.parametrize(
    "body",
    [
        "square = x\nreturn program.mlp(square)",
        "return [square for square in x if program.mlp]",
        "return program.made(x)",
        "for f in program.two:\n    x = f(x)\nreturn x",
        "for f in program.one:\n    if x:\n        break\n    f(x)\nreturn x",
        "for f in program.one:\n    if x:\n        continue\n    f(x)\nreturn x",
        "for f in program.one:\n    x = f(x)\nelse:\n    x = 2\nreturn x",
        "for f in program.one:\n    x = f(x)\nreturn f",
        "for f in program.one:\n    f = f(x)\nreturn x",
        "for x in program.one:\n    x(1)",
        "for double in program.one:\n    double(x)",
        "for f, g in program.one:\n    x = f(x)\nreturn x",
        "tuple = list\nreturn tuple((f for f in ()))",
        "return set((f for f in ()))",
    ],
)
def test_look_alikes_stay(body):
    assert run_body(body) == ast.unparse(ast.parse(body))


def test_a_record_that_nobody_reads_any_more_goes_with_all_that_hands_it_on():
    code = (
        "class Model:\n    def __init__(self, settings, x):\n        self.settings, self.kept_as = settings, x\n"
        "    def answer_it(self): return self.kept_as + helper(self.settings)\n"
        "def helper(settings): return settings.depth\n"
        "def run(settings, program, x): return Model(settings, x).answer_it()\n"
    )
    text = shake(specialize(parts(code))).text
    assert "ettings" not in text and "rogram" not in text and "return 7" in text


def test_a_record_whose_fields_are_read_stays():
    code = "def helper(settings, x): return settings.depth\nclass A:\n    def f(self, x): return x(self.settings)\n"
    code += "def run(settings, program, x): return A().f(x), settings.depth is x, f'{settings.depth:{x}}', settings\n"
    assert "SETTINGS = Settings(" in specialize(parts(code)).text
