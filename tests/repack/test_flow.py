"""How far a value is followed: into variables, parameters, results and choices, and where that ends."""

import ast

import pytest

from pgolf.repack.flow import WEAKER, Kind, _parameter
from pgolf.repack.repack import gather
from pgolf.repack.script import parse

HEAD = "import sys\nfrom pathlib import Path\nsize = 0\n"


def reason(text):
    """Why a file in Latin-1 is not possible, or None."""
    return gather(parse(HEAD + text + "\nif __name__ == '__main__': print(1)\n")).reason("latin1")


READ = "len(open({}).read().encode())"


@pytest.mark.parametrize(
    "text",
    [
        f"here = __file__\nsize = {READ.format('here')}",
        f"here = there = __file__\nsize = {READ.format('there')}",
        f"here: str = __file__\nsize = {READ.format('here')}",
        f"here = __file__\nother = here\nsize = {READ.format('other')}",
        "def source(): return open(__file__).read()\nsize = len(source().encode())",
        "def count(code): return len(code.encode())\nsize = count(open(__file__).read())",
        "def count(*, code): return len(code.encode())\nsize = count(code=open(__file__).read())",
        "class A:\n    def count(self, code): return len(code.encode())\nsize = A().count(open(__file__).read())",
        "class A:\n    @staticmethod\n    def count(code): return len(code.encode())\nsize = A.count(open(__file__).read())",
        "code = open(__file__).read()\nsize = len(code.encode()) if code else 0",
        "code = open(__file__).read()\nassert code\nif code: pass\nwhile code: break",
    ],
)
def test_it_is_followed_to_where_it_is_measured(text):
    assert reason(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class A: pass\nA.code = open(__file__).read()", "it is stored where it cannot be followed"),
        ("class A:\n    code = open(__file__).read()", "it is stored in a class"),
        (
            "def source(): return open(__file__).read()\nprint(map(source, []))",
            "it is returned to where it cannot be followed",
        ),
        ("f = lambda: open(__file__).read()\nprint(f)", ""),
        ("f = open(__file__)\nf = open('x')\nprint(f.read())", "'f' may be another file"),
        ("def use(file): return file.read()\nuse(open(__file__))", "'use' gets it"),
        ("def use(code): return code\nuse(*[open(__file__).read()])", ""),
        ("f = open(__file__) if size else None", "its open file goes where it cannot be followed"),
    ],
)
def test_where_that_ends_it_is_refused_with_the_line(text, said):
    found = reason(text)
    assert found is not None and found.line > 3 and said in str(found)


def test_a_variable_that_may_hold_another_file_holds_less():
    """Its bytes may still be counted; its text is not answered any more."""
    assert reason("path = __file__\nif size: path = 'x'\nn = len(open(path, 'rb').read())") is None
    assert reason("path = __file__\nif size: path = 'x'\nn = len(open(path).read())") is not None
    assert WEAKER == {Kind.PATH: Kind.SOME_PATH, Kind.BINARY: Kind.SOME_BINARY, Kind.BYTES: Kind.SOME_BYTES}


@pytest.mark.parametrize(
    ("head", "call", "bound", "name"),
    [
        *(("a, b", "f(x, y)", False, "b"), ("a, b", "f(x, b=y)", False, "b"), ("self, a", "f(y)", True, "a")),
        *(("a, /, b", "f(x, y)", False, "b"), ("a, *rest", "f(x, y)", False, "rest"), ("a", "f(x, y)", False, None)),
        *(("a, *, k", "f(x, k=y)", False, "k"), ("a, b", "f(*x, y)", False, None), ("**more", "f(k=y)", False, None)),
    ],
)
def test_the_parameter_that_an_argument_becomes(head, call, bound, name):
    function = ast.parse(f"def f({head}): pass").body[0]
    node = ast.parse(call).body[0].value
    given = [part for part in (*node.args, *node.keywords) if getattr(getattr(part, "value", part), "id", "") == "y"]
    found = _parameter(function, node, given[0], bound)
    assert (found.arg if found is not None else None) == name


def test_a_static_method_gets_no_object():
    function = ast.parse("@staticmethod\ndef f(a, b): pass").body[0]
    node = ast.parse("f(y)").body[0].value
    assert _parameter(function, node, node.args[0], True).arg == "a"
