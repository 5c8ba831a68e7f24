"""What nothing reads is dropped, unless somebody might miss it."""

import ast

import pytest

from pgolf.bundle.specialize.prune import prune

OWN = "class P:\n    def __init__(self): self.y_own, self.z_own = h(), h()\n"
CALL_IT = "class A:\n    def call_it(self, other): return 1\n"


def pruned(text):
    tree = ast.parse(text)
    prune(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def same(text):
    return ast.unparse(ast.parse(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            OWN + "def f(a, b): return a\ndef g(x): return f(x, x.y_own)",
            OWN + "def f(a): return a\ndef g(x): return f(x)",
        ),
        (
            "def f(a, b=2): return a\ndef g(x): return f(x), f(x, b=1)",
            "def f(a): return a\ndef g(x): return f(x), f(x)",
        ),
        ("def f(b, a): return a\ndef g(x): return f(b=x, a=h(x))", "def f(a): return a\ndef g(x): return f(a=h(x))"),
        ("def f(a): return 1\ndef g(b): return f(b)\nX = g(3)", "def f(): return 1\ndef g(): return f()\nX = g()"),
        (
            "class A:\n    def __init__(self, used, idle_one):\n        self.used_as, self.idle_as = used, idle_one\n"
            "    def call_it(self, other): return self.used_as\ndef g(x): return A(x, x).call_it(x)",
            "class A:\n    def __init__(self, used):\n        self.used_as = used\n"
            "    def call_it(self): return self.used_as\ndef g(x): return A(x).call_it()",
        ),
        (OWN + "def f(x):\n    a, b = x.y_own, x.z\n    return b", OWN + "def f(x):\n    b = x.z\n    return b"),
        (OWN + "def f(x):\n    a = x.y_own\n    return x", OWN + "def f(x):\n    pass\n    return x"),
        ("def f(x):\n    if not x.training:\n        pass\n    return x", "def f(x):\n    pass\n    return x"),
    ],
)
def test_unread_parameters_attributes_and_variables_go(text, wanted):
    assert pruned(text) == same(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "def f(a, b): return a\ndef g(x): return f(x, h(x))",
        "def f(a, b): return a\ndef g(x): return f(x, x.y)",
        "def f(x):\n    a = x.y\n    return x",
        "def f(x):\n    if not x.y:\n        pass\n    return x",
        OWN.replace("self.y_own, ", "").replace("h(), ", "")
        + "class Q:\n    @property\n    def y_own(self): return h()\ndef f(x):\n    a = x.y_own\n    return x",
        "class A:\n    def __init__(self): self.kept_as = h()\n    def f(self): self.kept_as = None",
        "def f(a, b): return a\ndef g(x): return f(*x)",
        "def f(a, b): return a\ndef g(x): return f(x, **x)",
        "def f(a, b): return a\nX = f\nY = X(1, 2)",
        "def f(a, b): return a\ndef g(x): return map(f, x, x)",
        "@known_by_arguments\ndef f(a, b): return a\nX = f(1, 2)",
        "def f(a, b):\n    b = 1\n    return a\nX = f(1, 2)",
        "def f(b):\n    return lambda: b\nX = f(2)",
        "def f(a, b, *c): return a, c\nX = f(1, 2)",
        "def f(a, b): return a\ndef g(x):\n    x = x + 1\n    return f(1, x)",
        "def f(a, b): return a\ndef g():\n    try:\n        x = 1\n    finally:\n        return f(1, x)",
        "class A:\n    def step(self, other): return 1\ndef g(x): return x.step(x)",
        CALL_IT + "def g(x): return A.call_it(x, x)",
        CALL_IT + "class B:\n    def call_it(self, other): return other\ndef g(x): return x.call_it(x)",
        CALL_IT + "def g(x): return x.call_it",
        CALL_IT + "class B:\n    def __init__(self): self.call_it = print\ndef g(x): return x.call_it(x)",
        "class A:\n    def __init__(self, x): self.kept_as = x.make()",
        "class A:\n    def __init__(self, x): self.kept_as = x\ndef g(y): return y.kept_as",
        "class A:\n    def __init__(self): self.kept_as = 0\n    def f(self): self.kept_as += 1",
        "class A:\n    def __init__(self, x): self.kept_as = x\ndef g(y): return getattr(y, 'kept_as')",
        "class A(nn.Module):\n    def __init__(self, x): self.kept_as = x",
        "class A(Base):\n    def __init__(self, x): self.used_as = self.used_as\nX = A(1)",
        "def f(x):\n    a = x()\n    return 1",
        "def f(x):\n    a = x\n    return lambda: a",
        "def f(x):\n    if x():\n        pass\n    return x",
        "def f(x):\n    if x.y:\n        pass\n    else:\n        x()\n    return x",
        "def f():\n    try:\n        pass\n    except KeyError as e:\n        pass\n    if e.y:\n        pass",
    ],
)
def test_what_somebody_might_miss_stays(text):
    assert pruned(text) == same(text)
