"""Minifying: smaller, and provably the same program up to names."""

import ast
import re

import pytest
from test_hostile_programs import check as check_program

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.minify import minify as minify_module
from pgolf.bundle.minify.alpha_equivalence import check_renaming
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.minify.strip import strip
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
    # A record that is printed whole shows the short names of its class and fields.
    assert short.partition("=3")[2].partition(")")[2] == long.partition("=3")[2].partition(")")[2] != ""


def test_documentation_and_assertions_go_and_fields_share_one_annotation():
    text = minify(flat(TEXT)).text
    assert "Doc" not in text and "assert" not in text
    fields = re.search(r"class \w+\((\w+)\):(\w+):(\w+);(\w+):(\w+)=2\n", text)
    assert fields is not None and fields[1] == fields[3] == fields[5]


def test_pieces_join_to_the_text_and_keep_their_owners():
    text = TEXT.replace("import math\nfrom typing", "from typing")
    minified = minify(flat(text.replace("math.sqrt", "abs")))
    assert "".join(piece for _, piece in minified.segments) == minified.text
    owners = [owner for owner, _ in minified.segments]
    assert owners == ["m0", "m1", "m2", "m3", "m4", "m5"]
    by_owner = dict(minified.segments)
    assert "property" in by_owner["m3"] and "__main__" in by_owner["m5"] and "3" in by_owner["m1"]


def test_a_script_with_a_docstring_can_be_minified_alone():
    minified = minify(flat('"""Doc."""\nimport os\n"text"\nprint(os.sep)\n'))
    assert [owner for owner, _ in minified.segments] == ["m1", "m3"] and "Doc" not in minified.text


def test_names_in_kernels_stay():
    text = minify(flat(
        "import triton\nimport triton.language as tl\nWIDTH = 3\n"
        "@triton.jit\ndef kernel(pointer, BLOCK: tl.constexpr):\n    for index in range(BLOCK):\n        total = WIDTH\n"
        "def run(pointer):\n    for index in range(3):\n        kernel(pointer, BLOCK=index)\n    return range(2)\n"
        "if __name__ == '__main__':\n    run(1)\n"
    )).text  # fmt: skip
    assert "(pointer,BLOCK:tl.constexpr)" in text and "for index in range(BLOCK):total=WIDTH" in text


def test_texts_with_tabs_keep_them(run_file):
    text = "def f():\n    return 'a\\n\\tb\\n\\t\\tc' + '\t'\nif __name__ == '__main__':\n    print(f())\n"
    assert run_file(minify(flat(text)).text) == run_file(text)


def test_stripping_leaves_valid_statements():
    text = "def f():\n    try:\n        pass\n    finally:\n        assert 1\n"
    text += "    while 1:\n        'x'\n    else:\n        pass\n    return None"
    assert "".join(ast.unparse(strip(ast.parse(text))).split()) == "deff():try:0finally:0while1:0"


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


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("*", "+", 1),
        lambda text: text.rsplit("\n", 2)[0],
        lambda text: text.replace("=3", "=4", 1),
        lambda text: text.replace("isinstance", "issubclass", 1),
        lambda text: text.replace("key=", "kex=", 1),
        lambda text: text + "(",
    ],
)
def test_a_wrong_minifier_is_caught(monkeypatch, damage):
    write = minify_module.write
    whole = ast.parse(TEXT)
    assert damage(write(whole)) != write(whole)
    monkeypatch.setattr(minify_module, "write", lambda tree: damage(write(tree)))
    with pytest.raises(PgolfError) as caught:
        minify(flat(TEXT))
    assert caught.value.code == "PG401"


def test_minifying_does_not_slow_down_later_copies():
    # python-minifier leaves attributes on nodes that all trees share; copies must not follow them.
    sizes = [len(minify(flat(TEXT)).text) for _ in range(3)]
    assert len(set(sizes)) == 1


SHOWN = """
from enum import Enum
from typing import NamedTuple
class Wrong(ValueError): pass
class Mode(Enum):
    TRAIN = 1
class Pair(NamedTuple):
    left_k: int
def main():
    try: raise Wrong("no")
    except Wrong as error: print(repr(error), Mode.TRAIN, str(Mode.TRAIN), Mode["TRAIN"].name)
    print(repr(Pair(1)).partition("(")[0])
"""


def test_names_of_classes_that_are_printed_stay():
    check_program(SHOWN)
