"""Keywords become positional arguments where, and only where, that changes nothing."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.minify.positional import settle_annotations, settle_arguments

FUNCTION = "def f(a, b=1, *, c=2): return a\n"


def settled(text, before=FUNCTION):
    tree = ast.parse(before + text)
    settle_arguments(tree)
    return "\n".join(ast.unparse(node) for node in tree.body[len(ast.parse(before).body) :])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("f(a=1, b=2)", "f(1, 2)"),
        ("f(b=2, a=1)", "f(1, 2)"),
        ("f(1, b=x, c=3)", "f(1, x, c=3)"),
        ("f(c=3, b=2, a=g())", "f(g(), 2, c=3)"),
        ("f(a=g(), b=h())", "f(g(), h())"),
    ],
)
def test_keywords_that_continue_the_arguments_are_moved(text, wanted):
    assert settled(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "f(b=g(), a=h())",
        "f(b=x.y, a=h())",
        "f(b=1)",
        "f(*x, b=1)",
        "f(a=1, **x)",
        "f(c=1)",
        "def g(f):\n    return f(a=1)",
        "def g():\n    f = h\n    return f(a=1)",
        "x.f(a=1)",
        "[f(a=1) for f in y]",
        "f(b=(x := 5), a=x)",
        "def g():\n    global x\n    x = 2\nf(b=g(), a=x)",
        "def h():\n\n    def g():\n        nonlocal y\n        y = 2\n    y = 1\n    return f(b=g(), a=y)",
    ],
)
def test_what_is_not_certain_stays(text):
    assert settled(text) == text


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("class f:\n    def __init__(self, a): self.a = a\n", "f(1)"),
        ("from typing import NamedTuple\nclass f(NamedTuple):\n    a: int\n", "f(1)"),
        ("class f(g):\n    b = 1\n", "f(a=1)"),
        ("class f(ValueError):\n    def __init__(self, a): self.a = a\n", "f(a=1)"),
        ("class g(Exception): pass\nclass f(g):\n    def __init__(self, a): self.a = a\n", "f(a=1)"),
        ("class f(nn.Module):\n    def __init__(self, a): self.a = a\n", "f(1)"),
        ("class f:\n    def __new__(cls, a): return a\n    def __init__(self, a): pass\n", "f(a=1)"),
        ("class f(metaclass=g):\n    def __init__(self, a): pass\n", "f(a=1)"),
        ("@dataclass(frozen=True)\nclass f:\n    a: int\n", "f(1)"),
        ("@dataclass(kw_only=True)\nclass f:\n    a: int\n", "f(a=1)"),
        ("@dataclass\nclass f:\n    z: ClassVar[int]\n    a: int\n", "f(a=1)"),
        ("@dataclass\nclass f:\n    z: int = field(init=False)\n    a: int = 2\n", "f(a=1)"),
        ("class f(g):\n    a: int\n", "f(a=1)"),
        ("@unknown\ndef f(a): return a\n", "f(a=1)"),
        ("@lru_cache(None)\ndef f(a): return a\n", "f(a=1)"),
        ("@torch.no_grad()\ndef f(a): return a\n", "f(1)"),
        ("def f(*a): return a\n", "f(a=1)"),
        ("def f(b, **a): return a\n", "f(a=1)"),
        ("if x:\n    def f(a): return a\nelse:\n    def f(b, a): return a\n", "f(a=1)"),
    ],
)
def test_only_known_constructors_and_functions_count(before, wanted):
    assert settled("f(a=1)", before) == wanted


def test_fields_of_namedtuples_share_an_annotation_and_dataclasses_keep_theirs():
    text = "from typing import NamedTuple\n"
    text += "class A(NamedTuple):\n    a: int\n    b: str = 'x'\nclass B:\n    a: int\nclass C(M):\n    a: int"
    tree = ast.parse(text)
    settle_annotations(tree)
    assert ast.unparse(tree) == ast.unparse(
        ast.parse(text.replace("a: int\n    b: str", "a: NamedTuple\n    b: NamedTuple"))
    )
    space = {"__name__": "a"}
    exec(compile(ast.unparse(tree.body[0]) + "\n" + ast.unparse(tree.body[1]), "a", "exec"), space)
    assert space["A"](1) == (1, "x")


ORDER = """
class Clock:
    def __init__(self): self.ticks = 0
    def tick(self):
        self.ticks += 1
        return self.ticks
def show(before, value): print(before, value)
def main():
    clock = Clock()
    show(value=clock.tick(), before=clock.ticks)
"""
WALRUS = "def f(a, b): print(a, b)\ndef main():\n    x = 1\n    f(b=(x := 5), a=x)\n"
ERRORS = """
class Wrong(ValueError):
    def __init__(self, message, place): super().__init__(message)
def main():
    try: raise Wrong("no", place=3)
    except Wrong as error: print(error.args, repr(error))
"""


CACHE = """
import functools
@functools.lru_cache(None)
def f(x, y=1):
    print("computed")
    return x + y
def main(): print(f(1, y=1), f(x=1), f(1, 1), f.cache_info().misses)
"""


@pytest.mark.parametrize("code", [ORDER, WALRUS, ERRORS, CACHE])
def test_arguments_are_evaluated_in_their_order(code):
    check(code)


@pytest.mark.parametrize(
    "before",
    [
        "class f(nn.Module): pass\n",
        "class f: pass\n",
        "@other\nclass f:\n    def __init__(self, a, b): pass\n",
        "class f:\n    def __init__(self, a, b): pass\n    def __new__(cls, *a, **b): pass\n",
    ],
)
def test_without_one_plain_constructor_keywords_stay(before):
    assert settled("f(a=1, b=2)", before) == "f(a=1, b=2)"


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        ("def f(a, **rest): 0\n", "f(1)"),
        ("def f(*rest, a): 0\n", "f(a=1)"),
        ("class A:\n    def go(self): 0\nclass f(A):\n    def __init__(self, a): 0\n", "f(1)"),
        ("class A(Exception): 0\nclass f(A):\n    def __init__(self, a): 0\n", "f(a=1)"),
    ],
)
def test_any_number_of_arguments_and_bases_of_the_program(before, wanted):
    assert settled("f(a=1)", before) == wanted
