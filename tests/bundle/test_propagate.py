"""Literals of the only call go into the function or class, and look-alikes stay as they are."""

import ast

import pytest

from pgolf.bundle.specialize.propagate import propagate

CLASS = """class Rope:
    def __init__(self, theta, dims=4):
        self.theta, self.both = theta, (theta, dims)
        self.rest = []

    def __call__(self, x):
        return self.theta * x + self.both[0] + len(self.rest)
"""
PARTIAL = "from functools import partial\n"


def changed(text):
    tree = ast.parse(text)
    propagate(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def same(text):
    return ast.unparse(ast.parse(text))


def run(text, name="X"):
    space = {"__name__": "m"}
    exec(compile(text, "m", "exec"), space)
    return space[name]


def test_a_class_that_is_made_once_holds_its_literals():
    text = CLASS + "X = Rope(theta=-2.5)(3)\n"
    found = changed(text)
    assert "X = Rope()(3)" in found and "return -2.5 * x + self.both[0]" in found
    assert "theta" not in found.replace("(-2.5, dims)", "")
    assert run(found) == run(text)


def test_an_empty_constructor_goes():
    text = (
        "class A:\n    def __init__(self, k):\n        self.kk = k\n    def f(self): return self.kk\nX = A(k=3).f()\n"
    )
    assert changed(text) == same("class A:\n    def f(self): return 3\nX = A().f()\n")


@pytest.mark.parametrize(
    "extra",
    [
        "X = Rope(theta=1), Rope(theta=2)",
        "X = Rope(theta=f())",
        "X = Rope(1.0)",
        "X = Rope(theta=1, **y)",
        "X = Rope(theta=1)\nY = type(X)(theta=2)",
        "X = Rope(theta=1)\nclass B(Rope): pass",
        "X = Rope\nY = X(theta=1)",
        "def f():\n    return Rope(theta=[1])",
    ],
)
def test_a_class_that_may_be_made_in_another_way_stays(extra):
    assert changed(CLASS + extra) == same(CLASS + extra)


@pytest.mark.parametrize("extra", ["Y.theta = 3", "Y.theta += 3", "del Y.theta", "setattr(Y, 'theta', 2)"])
def test_an_attribute_that_others_write_stays(extra):
    assert "self.theta * x" in changed(CLASS + "Y = Rope(theta=1)\n" + extra)


def test_an_attribute_that_others_read_stays_stored():
    found = changed(CLASS + "Y = Rope(theta=1)\nX = Y.theta")
    assert "self.theta, self.both = (1, (1, dims))" in found and "return 1 * x" in found


@pytest.mark.parametrize(
    "method",
    [
        "def f(self):\n        return self.kk is other",
        "def f(self):\n        return f'{self.kk}'",
        "def f(self):\n        return self.kk.upper()",
        "def f(self):\n        return self.kk[0]",
        "def f(self):\n        self = other\n        return self.kk",
        "def f(self):\n        self.kk = 'new'\n        return self.kk",
    ],
)
def test_places_where_a_text_would_not_do_stay(method):
    text = f"class A:\n    def __init__(self, k):\n        self.kk = k\n    {method}\nX = A(k='abc')\n"
    found = changed(text)
    assert "self.kk = 'abc'" in found and same(method.replace("\n        ", "\n ")).splitlines()[-1].strip() in found


def test_parameters_that_are_bound_again_stay():
    text = "class A:\n    def __init__(self, k):\n        k = k + 1\n        self.kk = k\nX = A(k=1)"
    assert changed(text) == same(text)


def test_a_function_that_one_partial_names_holds_its_literals():
    text = PARTIAL + "def f(x, k, y=2, *, z=3): return x + k, y, z\nX = partial(f, k=5, z=7)(1)\n"
    assert changed(text) == same(PARTIAL + "def f(x, y=2): return x + 5, y, 7\nX = f(1)\n")
    text = PARTIAL + "def f(x, k=1, y=2): return x, k, y\nX = partial(f, k=5)(1, y=g())\n"
    assert changed(text) == same(PARTIAL + "def f(x, y=2): return x, 5, y\nX = f(1, y=g())\n")


@pytest.mark.parametrize(
    "text",
    [
        PARTIAL + "def f(k): return k\nX = partial(f, k=5), f",
        PARTIAL + "def f(k): return f(k)\nX = partial(f, k=5)",
        PARTIAL + "@d\ndef f(k): return k\nX = partial(f, k=5)",
        PARTIAL + "def f(**k): return k\nX = partial(f, k=5)",
        PARTIAL + "def f(k): return k\ndef g(partial): return partial(f, k=5)",
        "from other import partial\ndef f(k): return k\nX = partial(f, k=5)",
        PARTIAL + "def f(k): return k.real\nX = partial(f, k=5)",
        PARTIAL + "def f(k):\n    def g(): return k\n    k = 2\n    return g\nX = partial(f, k=5)",
    ],
)
def test_other_functions_stay(text):
    assert changed(text) == same(text)


def test_inner_functions_see_the_literal_unless_they_bind_the_name():
    text = (
        PARTIAL
        + "def f(k):\n    def g(k): return k\n    def h(): return k\n    return g(1), h()\nX = partial(f, k=5)()\n"
    )
    assert run(changed(text)) == (1, 5) == run(text)
