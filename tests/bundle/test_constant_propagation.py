"""What always holds one literal is written as it, and nothing that may hold another."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.link import Owned
from pgolf.bundle.passes.constant_propagation import LONGEST, constant_propagation
from pgolf.bundle.program import Program

MAIN = "\nif __name__ == '__main__':\n    main()"


def after(code, rounds=2):
    """The program after the pass alone, without its main block."""
    program = Program(Owned("m", node) for node in ast.parse(code + MAIN).body)
    for _ in range(rounds):
        constant_propagation(program)
    return ast.unparse(ast.Module(body=program.body[:-1], type_ignores=[]))


CHANGED = {
    "a parameter": (
        "def mean(x, axis): return x[axis]\ndef main(): print(mean('ab', 1), mean('cd', axis=1))",
        "def mean(x, axis): return x[1]\ndef main(): print(mean('ab', 1), mean('cd', axis=1))",
    ),
    "a default": (
        "def f(x, y=3, *, z='a'): return x + y, z\ndef main(): print(f(1), f(2, 3), f(4, z='a'))",
        "def f(x, y=3, *, z='a'): return x + 3, 'a'\ndef main(): print(f(1), f(2, 3), f(4, z='a'))",
    ),
    "a recursion that hands it on": (
        "def f(n, mode):\n    return mode if n == 0 else f(n - 1, mode)\ndef main(): print(f(3, 'deep'))",
        "def f(n, mode):\n    return 'deep' if n == 0 else f(n - 1, 'deep')\ndef main(): print(f(3, 'deep'))",
    ),
    "a method": (
        "class A:\n    def put_it(self, x, n): self.kept_it = x * n\ndef main(): A().put_it(len('a'), 2)",
        "class A:\n    def put_it(self, x, n): self.kept_it = x * 2\ndef main(): A().put_it(len('a'), 2)",
    ),
    "a constructor, then an attribute": (
        "class A:\n    def __init__(self, n): self.kept_it = n\n    def get_it(self): return self.kept_it\n"
        "def main(): print(A(3).get_it(), A(3).get_it())",
        "class A:\n    def __init__(self, n): self.kept_it = 3\n    def get_it(self): return 3\n"
        "def main(): print(A(3).get_it(), A(3).get_it())",
    ),
    "a top-level variable, and what it decides": (
        "DEEP = False\ndef main():\n    if DEEP:\n        print('deep')\n    else:\n        print(f'{DEEP} flat')",
        "DEEP = False\ndef main():\n    print('False flat')",
    ),
    "a variable that is always given the same": (
        "def on():\n    global FLAG\n    FLAG = 3\nFLAG = 3\ndef main():\n    on()\n    print(FLAG)",
        "def on():\n    global FLAG\n    FLAG = 3\nFLAG = 3\ndef main():\n    on()\n    print(3)",
    ),
    "a local variable": (
        "def main():\n    unit = 'ms'\n    print(1, unit)",
        "def main():\n    unit = 'ms'\n    print(1, 'ms')",
    ),
    "a result": (
        "def name(x): return 'n'\ndef main(): print(f'{name(1)}!', name('a'))",
        "def name(x): return 'n'\ndef main(): print('n!', 'n')",
    ),
    "another name of a function": (
        "def f(x): return x\ng = f\ndef main(): print(g(1))",
        "def f(x): return x\ng = f\ndef main(): print(f(1))",
    ),
    "a tuple that is gone over": (
        "def f(x): return x\nTAPS = (f, len)\ndef main():\n    for tap in TAPS: print(tap('a'))",
        "def f(x): return x\nTAPS = (f, len)\ndef main():\n    for tap in (f, len): print(tap('a'))",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_constants_are_written(name):
    before, expected = CHANGED[name]
    assert after(before) == ast.unparse(ast.parse(expected))
    check(before)


KEPT = {
    "two values": "def f(x): return x\ndef main(): print(f(1), f(2))",
    "equal values of two kinds": "def f(x): return x\ndef main(): print(f(1), f(True), f(1.0))",
    "a function that is handed on": "def f(x=1): return x\ndef main(): print(f(1), list(map(f, [2])))",
    "a star": "def f(x, y=1): return x, y\ndef main(): print(f(0), f(*(2, 3)))",
    "two stars": "def f(x=1): return x\ndef main(): print(f(1), f(**{'x': 2}))",
    "a parameter that is bound again": "def f(x):\n    x += 1\n    return x\ndef main(): print(f(1), f(1))",
    "a nonlocal parameter": (
        "def f(n):\n    def up():\n        nonlocal n\n        n += 1\n    up()\n    return n\ndef main(): print(f(1), f(1))"
    ),
    "a variable that a function sets": (
        "FLAG = 1\ndef on():\n    global FLAG\n    FLAG = 2\ndef main():\n    on()\n    print(FLAG)"
    ),
    "a variable that is counted": ("N = 1\ndef up():\n    global N\n    N += 1\ndef main():\n    up()\n    print(N)"),
    "a local variable of a loop": "def main():\n    for i in range(2):\n        x = 1 if i else len('a')\n        print(x)",
    "an attribute that is counted": (
        "class A:\n    def __init__(self): self.n_seen = 0\n    def up(self): self.n_seen += 1\n"
        "def main():\n    a = A()\n    a.up()\n    print(a.n_seen)"
    ),
    "an attribute of another class": (
        "class A:\n    def __init__(self): self.n_seen = 0\nclass B:\n    def __init__(self): self.n_seen = 1\n"
        "def main(): print([x.n_seen for x in (A(), B())])"
    ),
    "an attribute that a class hides": (
        "class A:\n    n_seen = 1\nclass B(A):\n    def on(self): self.n_seen = 2\n"
        "def main():\n    b = B()\n    b.on()\n    print(A().n_seen, b.n_seen)"
    ),
    "an enumeration": (
        "from enum import Enum\nclass M(Enum):\n    ALPHA_X = 1\ndef main(): print(M.ALPHA_X, M.ALPHA_X == 1, M(1).name)"
    ),
    "an attribute that a handler waits for": (
        "class A:\n    def on(self): self.n_seen = 2\n    def get_it(self):\n        try:\n            return self.n_seen\n"
        "        except Exception:\n            return 'none'\ndef main():\n    a = A()\n    print(a.get_it())\n    a.on()\n"
        "    print(a.get_it())"
    ),
    "a method that a handler waits for": (
        "class A:\n    def get_it(self): return 3\ndef main():\n    for x in (A(), 2):\n        try:\n"
        "            print(x.get_it())\n        except Exception:\n            print('none')"
    ),
    "a function that prints": "def f():\n    print('x')\n    return 3\ndef main(): print(f(), f())",
    "identity": "def f(x, y): return x is y\ndef main(): print(f(1000, [1]), f(1000, [2]))",
    "a long text at two places": "T = 'a text that is longer than twenty-four'\ndef main(): print(T, T.upper())",
    "what must stay one tuple": "def f(x): return x\nT = (f, f)\ndef main(): print(T is T, len(T), T[0](1))",
    "a tuple that joins something else": (
        "class Keep:\n    def join(self, parts):\n        self.seen_k = parts\n        return parts is T\n"
        "def f(x): return x\nT = (f, f)\ndef main(): print(Keep().join(T))"
    ),
    "a tuple with a part that is worked out": (
        "def f(x): return x\nT = (f, len('ab'))\ndef main():\n    for part in T: print(part == 2)"
    ),
    "a list": "T = [1]\ndef main():\n    T.append(2)\n    print(T)",
    "a text in braces": "def f(x): return f'{x.upper()} {[x]}'\ndef main(): print(f('a'), f('a'))",
    "bytes in braces": "def f(x): return f'{x}'\ndef main(): print(f(b'a'), f(b'a'))",
    "a name of a function inside": "F = 3\ndef main():\n    def F(): return 4\n    print(F())",
}


@pytest.mark.parametrize("name", KEPT)
def test_what_may_be_something_else_stays(name):
    code = KEPT[name]
    assert after(code) == ast.unparse(ast.parse(code))
    check(code)


def test_a_tuple_of_things_and_literals_is_written_where_it_is_gone_over():
    code = "def f(x): return x\nT = (f, 3, 'a')\ndef main():\n    for part in T: print(part == 3)"
    assert "for part in (f, 3, 'a'):" in after(code)
    check(code)


@pytest.mark.parametrize(("length", "written"), [(LONGEST, True), (LONGEST + 1, False)])
def test_a_long_literal_is_written_at_one_place_only(length, written):
    text = "x" * (length - 2)
    code = f"def f(a): return a + a\ndef main(): print(f('{text}'))"
    assert after(code).count(text) == (3 if written else 1)
    assert LONGEST == 24  # measured by bytes
