"""The checker of renamings finds wrong ones."""

import ast

import pytest

from pgolf.errors import PgolfError
from pgolf.repack.check import check_same


def test_the_checker_finds_wrong_renamings():
    old = ast.parse("a = 1\ndef f(x):\n    y = x\n    return y + a, len\n")
    called = ast.parse("def f(x): return x\nf(x=1)\n")
    for wrong in ("def f(z): return z\nf(x=1)\n", "def f(z): return z\nf(z=1)\n"):
        with pytest.raises(PgolfError):
            check_same(called, ast.parse(wrong))
    for wrong in (
        "a = 1\ndef f(x):\n    a = x\n    return a + a, len\n",  # captured
        "a = 1\ndef f(x):\n    y = x\n    return a + y, len\n",  # swapped
        "a = 1\ndef f(x):\n    y = x\n    return y + a, max\n",  # a builtin
        "a = 1\ndef f(x):\n    return x + a, len\n",  # dropped
        "a = 2\ndef f(x):\n    y = x\n    return y + a, len\n",  # a constant
        "a = True\ndef f(x):\n    y = x\n    return y + a, len\n",  # of another type
        "b = 1\ndef f(x):\n    y = x\n    return y + a, len\n",  # half renamed
    ):
        with pytest.raises(PgolfError):
            check_same(old, ast.parse(wrong))
    check_same(old, ast.parse("b = 1\ndef g(x):\n    c = x\n    return c + b, len\n"))
