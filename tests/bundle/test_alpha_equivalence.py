"""The check of minify: it accepts every one-to-one renaming, and no other change."""

import ast

import pytest

from pgolf.bundle.minify.alpha_equivalence import check_renaming
from pgolf.bundle.minify.legality import survey
from pgolf.errors import PgolfError


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(): return 1", "def f(): return 2"),
        ("def f(): return 1", "def f(): return 1.0"),
        ("def f(): return True", "def f(): return 1"),
        ("def f(x): return x.a", "def f(x): return x.b"),
        ("def f(x): return g(x)\ndef g(y): return y", "def f(x): return f(x)\ndef g(y): return y"),
        ("def f(x, y): return x", "def f(x, y): return y"),
        ("def f(x): return x\nf(x=1)", "def f(z): return z\nf(x=1)"),
        ("def f(x, y): return x\ndef g(h): return h(y=1)", "def f(x, z): return x\ndef g(h): return h(y=1)"),
        ("def f(x, **more): return x\ndef g(h): h(x=1, b=2)", "def f(z, **more): return z\ndef g(h): h(x=1, b=2)"),
        ("def f(x): return x\ndef g(h, k): h(**k)", "def f(z): return z\ndef g(h, k): h(**k)"),
        ("def f(x): return x\ndef g(h): h(k=1, l=2)", "def f(k): return k\ndef g(h): h(k=1, l=2)"),
        ("class A:\n    def f(self): return self.g", "class A:\n    def f(self): return self.h"),
        ("class A:\n    def f(self): return self.f", "class A:\n    def g(self): return self.f"),
        ("class A:\n    def f(self): return self.f, self.f", "class A:\n    def g(self): return self.g, self.f"),
        (
            "class A:\n    def alpha(self): self.beta = 1; return self.alpha",
            "class A:\n    def gamma(self): self.gamma = 1; return self.gamma",
        ),
        ("class A:\n    mean = 1\nA.mean", "class A:\n    a = 1\nA.a"),
        ("class A(nn.Module):\n    def run_it(self): pass", "class A(nn.Module):\n    def T(self): pass"),
        ("def f(): return len('a')", "def f(): return abs('a')"),
        ("class A:\n    b = 1\n'b'", "class A:\n    c = 1\n'b'"),
        ("def f():\n    a = 1\n    b = 2\n    return a", "def f():\n    a = 1\n    a = 2\n    return a"),
        ("def f(g): return g(k=1)", "def f(g): return g(j=1)"),
        ("a = 1\nb = 2", "b = 2\na = 1"),
        ("def f(x): return x", "def f(x):\n    A = x\n    x = 2\n    return A"),
        ("def f(x):\n    x = 1\n    return x", "def f(x):\n    A = x\n    x = 1\n    return A"),
        ("def f(x): return x", "def f(x):\n    A = f\n    return x"),
        ("def f(): return 1", "import os\ndef f(): return 1"),
        ("import math as a", "import cmath as a"),
        ("from math import sqrt\nsqrt", "from math import sin as sqrt\nsqrt"),
        ("x = 1\ndef f(): return x", "x = 1\ndef f():\n    x = 1\n    return x"),
        ("x = 1\ndef f():\n    y = 2\n    return x", "x = 1\ndef f():\n    x = 2\n    return x"),
        ("def f(): return [x for x in y]\ny = 1", "def f(): return [z for x in x]\nx = z = 1"),
    ],
)
def test_the_check_sees_every_change(old, new):
    check_renaming(ast.parse(old), ast.parse(old))
    with pytest.raises(PgolfError) as caught:
        check_renaming(ast.parse(old), ast.parse(new))
    assert caught.value.code == "PG401"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(long): return long + long", "def A(A):return A+A"),
        (
            "class K:\n    def run_it(self): self.its = 1; return self.its",
            "class A:\n    def a(A): A.b = 1; return A.b",
        ),
        (
            "from typing import NamedTuple\nclass K(NamedTuple):\n    wide: int\ndef f(k): return k.wide, K(wide=1)",
            "from typing import NamedTuple as A\nclass B(A):\n    c: int\ndef f(k): return k.c, B(c=1)",
        ),
        ("from math import sqrt\nx = sqrt(1)", "from math import sqrt as A\nB = A(1)"),
        ("class K:\n    def f(self, *a, **b): return self, a, b", "class B:\n    def f(A, *B, **C): return A, B, C"),
        ("def f(x):\n    def g(y): return x + y\n    return g", "def A(x):\n    def A(y): return x + y\n    return A"),
        ("try:\n    pass\nexcept E as error:\n    error", "try:\n    pass\nexcept E as A:\n    A"),
        ("def f(): return [x for x in y]\ny = 1", "def f(): return [x for x in x]\nx = 1"),
        (
            "def f(x):\n    match x:\n        case [a, *b]: return a, b",
            "def f(x):\n    match x:\n        case [A, *B]: return A, B",
        ),
    ],
)
def test_the_check_accepts_renaming(old, new):
    check_renaming(ast.parse(old), ast.parse(new))


MORE = [
    # A list that got longer or shorter, at its end or in the middle.
    ("f(1, 2)", "f(1, 2, 3)"),
    ("f(1, 2, 3)", "f(1, 2)"),
    ("x = y = 1", "x = 1"),
    # Constants of another type, kind of operator, and parts that appear or go.
    ("x = 1", "x = True"),
    ("x = 'a'", "x = b'a'"),
    ("x = None", "x = 'None'"),
    ("x = a + b", "x = a - b"),
    ("x = a < b", "x = a <= b"),
    ("def f(): return", "def f(): return None"),
    ("def f(): return 1", "def f(): return"),
    ("def f(x=1): pass", "def f(x): pass"),
    ("for x in y: pass", "while y: pass"),
    ("x[1:]", "x[:1]"),
    ("f'{x!r}'", "f'{x!s}'"),
    ("x: int = 1", "(x): int = 1"),
    ("def f(x, /): pass", "def f(x): pass"),
    ("from .a import b", "from ..a import b"),
    ("from a import b", "from c import b"),
    ("import a.b", "import a.c"),
    # Members: one name for two, two for one, one that is not the program's, and one that its class may inherit.
    ("class A:\n    alpha = 1\n    beta = 2\nA.alpha, A.beta", "class A:\n    a = 1\n    a = 2\nA.a, A.a"),
    ("class A:\n    alpha = 1\nA.alpha, x.gone", "class A:\n    a = 1\nA.a, x.lost"),
    ("class A(nn.Module):\n    def run_it(self): pass", "class A(nn.Module):\n    def parameters(self): pass"),
    # A variable that two scopes share is one, and one that is only called alike is not.
    ("def f(x):\n    def g(): return x\n    return g", "def f(a):\n    def g(): return b\n    return g\nb = 1"),
    ("def f():\n    global x\n    x = 1", "def f():\n    global y\n    x = 1"),
    (
        "def f(x):\n    def g():\n        nonlocal x\n        x = 2",
        "def f(x):\n    def g():\n        x = 2",
    ),
    ("class A:\n    x = 1\n    y = x", "class A:\n    x = 1\n    y = z"),
    ("print(len)", "print(l)"),
    ("def f(k=1): return k\nf(k=2)", "def f(a=1): return a\nf(k=2)"),
]


@pytest.mark.parametrize(("old", "new"), MORE)
def test_what_else_is_no_renaming(old, new):
    check_renaming(ast.parse(old), ast.parse(old))
    with pytest.raises(PgolfError) as caught:
        check_renaming(ast.parse(old), ast.parse(new))
    assert caught.value.code == "PG401" and str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def f(): return 1", "def f(): return 2", "value 1 became 2"),
        (
            "\n\ndef f(long): return long",
            "\n\ndef f(a): return long",
            "'long' became 'long' here and something else before",
        ),
        ("def f(x, y): return x, y", "def f(a, a): return a, a", "became 'a' here and something else before"),
        ("\nfor x in y: pass", "\nwhile y: pass", "at line 2 of the shaken source: For became While"),
        ("f(1, 2)", "f(1)", "args has 1 parts, not 2"),
        ("def f(): return len", "def f(): return abs", "'len' is not defined in the program, yet renamed to 'abs'"),
        (
            "def f(x): return x\nf(x=1)",
            "def f(z): return z\nf(x=1)",
            "the parameter 'x' may be passed by name and became 'z'",
        ),
        (
            "class A:\n    mean = 1\nA.mean",
            "class A:\n    a = 1\nA.a",
            "the member 'mean', which is not the program's alone",
        ),
        (
            "def f(x): return x\ndef g(h): h(k=1, l=2)",
            "def f(k): return k\ndef g(h): h(k=1, l=2)",
            "'x' to the keyword 'k'",
        ),
    ],
)
def test_it_says_what_is_wrong(old, new, said):
    with pytest.raises(PgolfError) as caught:
        check_renaming(ast.parse(old), ast.parse(new))
    assert said in str(caught.value)


def test_an_inherited_member_gets_no_name_of_the_base():
    old = "class A(nn.Module):\n    def run_it(self): return self.run_it"
    new = old.replace("run_it", "forward")
    found = survey(ast.parse(old))
    with pytest.raises(PgolfError):
        check_renaming(ast.parse(old), ast.parse(new))
    assert "run_it" in found.inherited


def test_a_survey_that_is_there_is_used():
    tree = ast.parse("class K:\n    def run_it(self): return self.run_it")
    new = ast.parse("class K:\n    def a(self): return self.a")
    found = survey(tree)
    check_renaming(tree, new, found)
    found.own = frozenset()
    with pytest.raises(PgolfError):
        check_renaming(tree, new, found)


def test_comments_and_kinds_of_texts_are_no_change():
    check_renaming(ast.parse("x = u'a'  # type: str"), ast.parse("x = 'a'"))
    check_renaming(ast.parse("x = 1  # type: int", type_comments=True), ast.parse("x = 1"))


def test_other_numbers_of_names_are_an_error():
    with pytest.raises(PgolfError, match="PG401"):
        check_renaming(
            ast.parse("def f():\n    global a, b\na = b = 1"), ast.parse("def f():\n    global a\na = b = 1")
        )
