# ruff: noqa: E501 (a sample is one line, however long)
"""What becomes of the call that makes an object: stores in its place, or the call of a function."""

import ast

import pytest
from optimizing import MAIN, after, flat, same

from pgolf.bundle.effects import Effects
from pgolf.bundle.passes.construction import Construction, assign, body_of
from pgolf.bundle.passes.scalar_replacement import SCALAR_REPLACEMENT
from pgolf.bundle.passes.singletons import Execution, singletons
from pgolf.bundle.program import Program

CLASS = (
    "class A:\n    def __init__(self, x_k, y_k=2): self.x_k, self.y_k = x_k, y_k\n    def go(self): return self.x_k\n"
)


def construction(text):
    """Of the one class with a single object."""
    program = Program.of(flat(f"{text}\nif __name__ == '__main__':\n    main()"))
    (single,) = singletons(program, Execution(program).once)
    return Construction(program, Effects(program), single)


@pytest.mark.parametrize(
    ("main", "inlined"),
    [
        ("a = A(1)", True),
        ("a = A(1, y_k=3)", True),
        ("a, b = A(1), 2", True),
        ("print(A(1))", True),
        ("a = A(n)", True),
        ("a, b = A(n), 2", False),
        # What the call gives must be the same wherever the constructor evaluates it.
        ("a = A(n + 1)", False),
        ("a = A(print(1))", False),
        ("n = 2\n    a = A(n)", False),
        ("a = A(LIMIT)", True),
        ("a = A(count)", False),
        ("a = A((1, 2))", True),
    ],
)
def test_what_a_call_may_give(main, inlined):
    text = f"{CLASS}LIMIT = 3\ncount = 0\ndef step():\n    global count\n    count += 1\ndef main(n=1):\n    {main}"
    assert construction(text).is_inlined is inlined


@pytest.mark.parametrize(
    ("constructor", "inlined"),
    [
        ("def __init__(self, x_k): self.x_k = x_k", True),
        ("def __init__(self, x_k):\n        '''Doc.'''\n        self.x_k = x_k\n        pass", True),
        ("def __init__(self, x_k): self.x_k = 3", True),
        ("def __init__(self, x_k, z_k=print): self.x_k = x_k; self.z_k = z_k", False),
        ("def __init__(self, x_k): self.x_k = x_k + 1", False),
        ("def __init__(self, x_k): self.x_k = self.y_k = x_k", False),
        ("def __init__(self, x_k): self.x_k = x_k; print(x_k)", False),
        ("def __init__(self, x_k): y = x_k; self.x_k = y", False),
        ("def __init__(self, x_k):\n        if x_k: self.x_k = x_k", False),
        ("def __init__(self, x_k): x_k = 2; self.x_k = x_k", False),
        ("def __init__(self, x_k): self.x_k = lambda: x_k", False),
        ("def __init__(self, x_k, *rest): self.x_k = x_k", False),
        ("def __init__(self, x_k, **more): self.x_k = x_k", False),
        ("@torch.no_grad()\n    def __init__(self, x_k): self.x_k = x_k", False),
    ],
)
@pytest.mark.parametrize("value", ["(1, 2)"])
def test_what_a_constructor_may_do(constructor, value, inlined):
    found = construction(f"class A:\n    {constructor}\ndef main(): a = A({value})")
    assert found.is_inlined is inlined and found.is_possible, "what is not written out becomes a function"


@pytest.mark.parametrize(
    ("text", "idle", "top", "possible"),
    [
        (f"{CLASS}def main(): a = A(1)", True, False, True),
        (f"{CLASS}def main(n=2): a = A(n)", False, False, True),
        (f"{CLASS}a = A(1)\ndef main(): pass", True, True, True),
        # A function is not called at the top level.
        (f"{CLASS.replace('= x_k,', '= x_k + 1,')}a = A(1)\ndef main(): pass", False, True, False),
        (f"{CLASS.replace('= x_k,', '= x_k + 1,')}def main(): a = A(1)", False, False, True),
        (f"{CLASS}def main(): a = A()", True, False, False),
        (f"{CLASS}def main(): a = A(1, 2, 3)", True, False, False),
        (f"{CLASS}def main(): a = A(*x)", False, False, False),
        ("class A:\n    x_k = 1\ndef main(): a = A()", True, False, True),
        ("class A:\n    x_k = 1\ndef main(): a = A(1)", True, False, False),
    ],
)
def test_where_and_whether(text, idle, top, possible):
    found = construction(text)
    assert (found.is_idle, found.at_top, found.is_possible) == (idle, top, possible)
    assert isinstance(found.line, ast.stmt) and found.call in ast.walk(found.line)


RECORD = "from typing import NamedTuple\nclass Row(NamedTuple):\n    wide_k: int\n    high_k: int = 2\n    deep_k: int = 1 + 1\n"


@pytest.mark.parametrize(
    ("call", "possible"),
    [
        ("Row(1, deep_k=3)", True),
        ("Row(1, 2, 3)", True),
        ("Row(1)", False),
        ("Row(deep_k=3)", False),
        ("Row(1, 2, 3, 4)", False),
    ],
)
def test_records_need_all_that_is_no_literal(call, possible):
    assert construction(f"{RECORD}def main(): r = {call}").is_possible is possible


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # An idle call: its stores stand in front of the main block.
        (
            f"{CLASS}def main():\n    a = A(1)\n    print(a.go(), a.y_k)\n{MAIN}    main()",
            "def go_2():\n    return x_k_2\ndef main():\n    print(go_2(), y_k_2)\nx_k_2 = 1\ny_k_2 = 2\n"
            + f"{MAIN}    main()",
        ),
        # One that gives a variable: in the place of the call.
        (
            f"{CLASS}def main(n):\n    print(n)\n    a = A(n)\n    print(a.go(), a.y_k)\n{MAIN}    main(3)",
            "def go_2():\n    return x_k_2\ndef main(n):\n    global x_k_2, y_k_2\n    print(n)\n    x_k_2 = n\n    y_k_2 = 2\n"
            f"    print(go_2(), y_k_2)\n{MAIN}    main(3)",
        ),
        # One that does more: a function.
        (
            "class A:\n    def __init__(self, x): self.x_k = x + 1\n    def go(self): return self.x_k\n"
            f"def main():\n    a = A(1)\n    print(a.go())\n{MAIN}    main()",
            f"def a_2(x):\n    global x_k_2\n    x_k_2 = x + 1\ndef go_2():\n    return x_k_2\ndef main():\n    a_2(1)\n    print(go_2())\n{MAIN}    main()",
        ),
    ],
)
def test_before_and_after(before, expected):
    assert after(before, SCALAR_REPLACEMENT) == same(expected)


def test_a_call_that_python_would_refuse_is_left_to_python():
    text = f"{CLASS}def main(n):\n    if n: print(1)\n    else: a = A()\n{MAIN}    main(1)"
    assert after(text, SCALAR_REPLACEMENT) == same(text)


def test_stores_that_read_each_other_stay_one_assignment():
    text = after(
        "class A:\n    def __init__(self, p): self.x_k = p\n    def swap_it(self):\n        self.x_k, self.y_k = self.y_k, self.x_k\n"
        f"    def set_it(self): self.y_k = 2\ndef main():\n    a = A(1)\n    a.set_it()\n    a.swap_it()\n    print(a.x_k, a.y_k)\n{MAIN}    main()",
        SCALAR_REPLACEMENT,
    )
    assert "x_k_2, y_k_2 = (y_k_2, x_k_2)" in text


def test_the_body_of_a_function_and_an_assignment():
    function = ast.parse("def f():\n    'Doc.'\n    pass\n    x = 1\n    'text'\n    return x").body[0]
    assert [ast.unparse(line) for line in body_of(function)] == ["x = 1", "return x"]
    line = assign("a", function.body[2].value)
    assert ast.unparse(line) == "a = 1" and line.lineno == 4
