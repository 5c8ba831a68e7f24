"""Reading modules."""

import ast

import pytest

from pgolf.bundle.source import ENTRY, load, packages, parse, strip_annotations
from pgolf.errors import PgolfError


def test_modules_come_after_what_they_import(project):
    find_source = project({"a": "from b import x\n", "b": "from c import y\nx = y\n", "c": "y = 1\n"})
    assert list(load("from a import x\nfrom c import y\n", find_source)) == ["c", "b", "a", ENTRY]


def test_build_time_modules_and_outside_modules_are_not_read(project):
    asked = []

    def find_source(name):
        asked.append(name)

    load("import torch\nfrom pgolf import Plugin\nfrom pgolf.component import Component\n", find_source)
    assert set(asked) == {"torch"}


def test_statements_know_what_they_declare_and_use(project):
    text = "import math\nX: int = 3\nclass A(B):\n    y: T\n    def f(self, z: U) -> V:\n        w: W = X\n        return w\n"
    module = load(text, lambda name: None)[ENTRY]
    assert [statement.declares for statement in module.statements] == [(), ("X",), ("A",)]
    assert module.statements[2].uses == {"B", "T", "X"}
    assert module.statements[2].uses_now == {"B", "T"}


def test_annotations_of_kernels_and_operators_stay():
    text = "@triton.jit\ndef f(x, BLOCK: tl.constexpr):\n    y: int = 1"
    kept = ast.unparse(strip_annotations(ast.parse(text).body[0]))
    assert "BLOCK: tl.constexpr" in kept and "y = 1" in kept
    assert ": " not in ast.unparse(strip_annotations(ast.parse("def f(x: int, *a: str) -> T: return 1").body[0]))[:-12]


def test_a_syntax_error_is_a_finding():
    with pytest.raises(PgolfError, match="this is not Python") as caught:
        parse("def f(:\n", "x.py")
    assert caught.value.where == "x.py:1:7"


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xff\xfe")
    with pytest.raises(PgolfError) as caught:
        load("from a import x\n", lambda name: tmp_path / "a.py")
    assert caught.value.code == "PG001"


def test_packages_are_outermost_first():
    assert packages("a.b.c") == ["a", "a.b"]
