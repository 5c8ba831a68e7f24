"""Peephole: each rewrite changes what it says, and nothing that is not exactly the same."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.minify.peephole import peephole

TORCH = "import torch\nimport torch.nn.functional as F\n"


def rewritten(text):
    tree = ast.parse(text)
    peephole(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def same(text):
    return ast.unparse(ast.parse(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch.zeros(2, dtype=torch.int64)", "torch.zeros(2, dtype=int)"),
        ("x.new_ones(2, dtype=torch.bool)", "x.new_ones(2, dtype=bool)"),
        ("x.to(x.device, torch.float64)", "x.to(x.device, float)"),
        ("torch.zeros(2, dtype=torch.int32)", "torch.zeros(2, dtype=torch.int32)"),
        ("x.view(torch.int64)", "x.view(torch.int64)"),
        ("numpy.zeros(2, dtype=torch.int64)", "numpy.zeros(2, dtype=torch.int64)"),
        ("own(dtype=torch.int64)", "own(dtype=torch.int64)"),
        ("x.dtype == torch.int64", "x.dtype == torch.int64"),
    ],
)
def test_python_types_stand_for_dtypes_where_torch_takes_them(before, after):
    assert rewritten(f"{TORCH}def f(x): return {before}") == same(f"{TORCH}def f(x): return {after}")


@pytest.mark.parametrize(
    "text",
    [
        "def f(int): return torch.zeros(2, dtype=torch.int64)",
        "class A:\n    def to(self, kind): return kind\ndef f(x): return x.to(torch.int64)",
        "def f(torch): return torch.zeros(2, dtype=torch.int64)",
        "import triton\n@triton.jit\ndef f(x):\n    y = x.to(torch.int64)\n    return y",
    ],
)
def test_no_dtype_is_guessed(text):
    assert rewritten(TORCH + text) == same(TORCH + text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y = x()\nreturn y", "return x()"),
        ("if x:\n    y = x()\n    return y\ny = 2\nreturn y", "if x:\n    return x()\nreturn 2"),
        ("self.a = x\nself.b = 1\nself.c, self.d = x, None", "self.a, self.b, self.c, self.d = x, 1, x, None"),
        ("self.a = x()\nself.b = 1", "self.a = x()\nself.b = 1"),
        ("self.a = x\nself.b = self.a", "self.a = x\nself.b = self.a"),
        ("x[0] = 1\nx[1] = 2", "x[0] = 1\nx[1] = 2"),
        ("self.a = g\nself.b = g", "self.a = g\nself.b = g"),
        ("x()\nreturn", "x()"),
        ("return", "return"),
        (
            "try:\n    y = x()\n    return y\nfinally:\n    print(y)",
            "try:\n    y = x()\n    return y\nfinally:\n    print(y)",
        ),
        ("y = x()\ndef g(): return y\nreturn g", "y = x()\ndef g(): return y\nreturn g"),
        ("global g\ng = x()\nreturn g", "global g\ng = x()\nreturn g"),
        ("y, z = x()\nreturn y", "y, z = x()\nreturn y"),
        ("y = z = x()\nreturn y", "y = z = x()\nreturn y"),
    ],
)
def test_blocks(before, after):
    def text(body):
        return "def h():\n    global g\n    g = 1\ndef f(self, x):\n" + "".join(
            f"    {line}\n" for line in body.split("\n")
        )

    assert rewritten(text(before)) == same(text(after))


def test_a_variable_of_an_inner_function_stays():
    text = "def f(x):\n    def g(): return y\n    x(g)\n    y = x()\n    return y"
    assert rewritten(text) == same(text)


def test_the_top_level_stays():
    text = "A.b = 1\nA.c = 2\nif x:\n    A.b = 1\n    A.c = 2"
    assert rewritten(text) == same(text)


PROGRAM = """
import torch
class Watched:
    def __setattr__(self, name, value):
        print("set", name)
        object.__setattr__(self, name, value)
class Part(Watched):
    def __init__(self, first, second):
        self.first_k = first
        self.second_k = second
        self.third_k = 3
    def total(self):
        result = self.first_k + self.second_k + self.third_k
        return result
def show(x):
    if x:
        print("shown", x)
        return
    print("not shown")
    return
def main():
    print(Part(1, 2).total(), show(0), show(1))
    counts = torch.zeros(2, dtype=torch.int64)
    print(counts.dtype, counts.to(torch.float64).dtype, torch.ones(1, dtype=torch.bool).dtype, counts.sum(dtype=torch.float64))
"""


def test_rewritten_programs_print_the_same():
    check(PROGRAM)
