"""Tree shaking."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import shake
from pgolf.bundle.program import Program
from pgolf.bundle.verification import verify
from pgolf.errors import PgolfError


def flat(text):
    return Flat(tuple(Owned("m", node) for node in ast.parse(text).body))


TEXT = """
from math import sqrt
from math import sin
A = 3
def f(): return g(sqrt(A))
def g(x): return x
def h(): return sin(f())
if __name__ == '__main__':
    f()
"""


def test_what_nothing_reaches_is_dropped():
    text = shake(flat(TEXT)).text
    assert "def g" in text and "A = 3" in text and "sqrt" in text
    assert "def h" not in text and "sin" not in text


def test_shaking_again_changes_nothing():
    once = shake(flat(TEXT))
    assert shake(once) == once


def test_a_local_of_the_same_name_keeps_nothing():
    assert "def g" not in shake(flat("def g(): pass\ndef f(g): return g\nif 1:\n    f(2)\n")).text


def test_the_check_sees_a_dropped_and_a_moved_statement():
    whole = flat(TEXT)
    kept = [item for item in whole.statements if getattr(item.node, "name", "") != "g"]
    for wrong in (kept, whole.statements[:-1], whole.statements[::-1]):
        with pytest.raises(PgolfError) as caught:
            verify("shake", Program(whole.statements).all_facts(), Program(wrong))
        assert caught.value.code == "PG401"
