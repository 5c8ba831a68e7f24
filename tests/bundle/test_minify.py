"""Minifying: smaller, and provably the same program up to names."""

import ast

import pytest

from pgolf.bundle import minify as minify_module
from pgolf.bundle.alpha import check_renaming
from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.minify import minify, segments, strip
from pgolf.errors import PgolfError

TEXT = '''
import math
from typing import NamedTuple
LIMIT = 3
class Record(NamedTuple):
    """Doc."""
    width: int
    height: int = 2
class Thing:
    size: int = 1
    def __init__(self, width, *rest, key=None, **more):
        """Doc."""
        assert width, "no"
        self.width = width
        self.rest = [item for item in rest if isinstance(item, int)]
    @property
    def area(self):
        pass
        return self.width * LIMIT
    @staticmethod
    def helper(value, other):
        return value + other + value
def work(number, other=1):
    "Doc."
    try:
        total = sum(math.sqrt(index) for index in range(number) if isinstance(index, int))
    except ValueError as error:
        raise KeyError(str(error)) from error
    finally:
        pass
    inner = lambda value, key=2: value + total + other + key
    return inner(number, key=3), Record(width=number), isinstance(total, float)
if __name__ == '__main__':
    print(work(number=LIMIT), Thing(3, 1, 2, key=None).area, Thing.helper(1, other=2))
'''


def flat(text):
    return Flat(tuple(Owned(f"m{index}", node) for index, node in enumerate(ast.parse(text).body)))


def test_the_text_is_shorter_and_does_the_same(run_file):
    minified = minify(flat(TEXT))
    assert len(minified.text) < 0.65 * len(TEXT)
    short, long = run_file(minified.text), run_file(TEXT)
    # A record prints its class's name, which is why rule PG312 exists for what can be seen in the source.
    assert short.partition("(width")[2] == long.partition("(width")[2]


def test_documentation_and_assertions_go_and_fields_keep_their_annotations():
    text = minify(flat(TEXT)).text
    assert "Doc" not in text and "assert" not in text
    assert "width:" in text and "height:" in text


def test_pieces_join_to_the_text_and_keep_their_owners():
    text = TEXT.replace("import math\nfrom typing", "from typing")
    minified = minify(flat(text.replace("math.sqrt", "abs")))
    assert "".join(piece for _, piece in minified.segments) == minified.text
    owners = [owner for owner, _ in minified.segments]
    assert owners[-5:] == ["m1", "m2", "m3", "m4", "m5"] and "imports" in owners
    by_owner = dict(minified.segments)
    assert "area" in by_owner["m3"] and "__main__" in by_owner["m5"] and "3" in by_owner["m1"]


def test_a_script_with_a_docstring_can_be_minified_alone():
    minified = minify(flat('"""Doc."""\nimport os\n"text"\nprint(os.sep)\n'))
    assert [owner for owner, _ in minified.segments] == ["m1", "m3"] and "Doc" not in minified.text


def test_pieces_of_a_line_with_wide_characters():
    text = "A='é';B='ü'\ndef f():0\n"
    assert [piece for _, piece in segments(text, ["a", "b", "c"])] == ["A='é';", "B='ü'\n", "def f():0\n"]


def test_names_in_kernels_stay():
    text = minify(flat(
        "import triton\nimport triton.language as tl\nWIDTH = 3\n"
        "@triton.jit\ndef kernel(pointer, BLOCK: tl.constexpr):\n    for index in range(BLOCK):\n        total = WIDTH\n"
        "def run(pointer):\n    for index in range(3):\n        kernel(pointer, BLOCK=index)\n    return range(2)\n"
        "if __name__ == '__main__':\n    run(1)\n"
    )).text  # fmt: skip
    assert "(pointer,BLOCK:tl.constexpr)" in text and "for index in range(BLOCK):total=WIDTH" in text


def test_stripping_leaves_valid_statements():
    text = "def f():\n    try:\n        pass\n    finally:\n        assert 1\n"
    text += "    while 1:\n        'x'\n    else:\n        pass\n    return None"
    assert "".join(ast.unparse(strip(ast.parse(text))).split()) == "deff():try:0finally:0while1:0return"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def f(): return 1", "def f(): return 2"),
        ("def f(): return 1", "def f(): return 1.0"),
        ("def f(): return True", "def f(): return 1"),
        ("def f(x): return x.a", "def f(x): return x.b"),
        ("def f(x): return g(x)\ndef g(y): return y", "def f(x): return f(x)\ndef g(y): return y"),
        ("def f(x, y): return x", "def f(x, y): return y"),
        ("def f(x): return x", "def f(z): return z"),
        ("def f(): return len('a')", "def f(): return abs('a')"),
        ("class A:\n    b = 1", "class A:\n    c = 1"),
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
        ("def f(long): return long + long", "def A(long):A=long;return A+A"),
        ("def f(): return len('a') + len('b')", "B=len\ndef A():return B('a')+B('b')"),
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


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("*", "+", 1),
        lambda text: text.rsplit("\n", 2)[0],
        lambda text: text.replace("=3", "=4", 1),
        lambda text: text.replace("super", "object").replace("self", "this").replace("other", "width"),
        lambda text: text + "(",
    ],
)
def test_a_wrong_minifier_is_caught(monkeypatch, damage):
    rename = minify_module.rename
    monkeypatch.setattr(minify_module, "rename", lambda text, keep: damage(rename(text, keep)))
    assert damage(rename(TEXT, [])) != rename(TEXT, [])
    with pytest.raises(PgolfError) as caught:
        minify(flat(TEXT))
    assert caught.value.code == "PG401"


def test_minifying_does_not_slow_down_later_copies():
    # python-minifier leaves attributes on nodes that all trees share; copies must not follow them.
    sizes = [len(minify(flat(TEXT)).text) for _ in range(3)]
    assert len(set(sizes)) == 1
