"""Strip: what has no effect goes, and assertions that somebody may notice stay."""

import ast

import pytest
from test_hostile_programs import check

from pgolf.bundle.minify.strip import strip

SAFE = """
def safe(x):
    assert x > 0
    return x
"""
HANDLERS = [
    "try: print(safe(-1))\n    except AssertionError: print('caught')",
    "try: print(safe(-1))\n    except Exception: print('caught')",
    "try: print(safe(-1))\n    except (ValueError, AssertionError): print('caught')",
    "try: print(safe(-1))\n    except: print('caught')",
    "with suppress(Exception): print(safe(-1))",
    "kinds = (AssertionError,)\n    try: print(safe(-1))\n    except kinds: print('caught')",
    "for k in (1, 2):\n        try: print(safe(-1))\n        finally: continue",
    "with Guard(): print(safe(-1))",
]
GUARD = """
from contextlib import suppress
class Guard:
    def __enter__(self): return self
    def __exit__(self, *error): return True
"""


def stripped(text):
    return ast.unparse(strip(ast.parse(text)))


@pytest.mark.parametrize("handler", HANDLERS)
def test_an_assertion_that_a_handler_may_catch_stays(handler):
    guard = GUARD if "Guard" in handler else GUARD.split("class")[0]
    code = f"{guard}{SAFE}def main():\n    {handler}\n    print('end')\n"
    assert "assert" in stripped(code)
    check(code)


@pytest.mark.parametrize(
    "handler",
    [
        "try: f()\nexcept ValueError: pass",
        "try: f()\nexcept Exception as error: raise ValueError from error",
        "from library import Wrong\ntry: f()\nexcept Wrong: pass",
        "class Mine(ValueError): pass\ntry: f()\nexcept Mine: pass",
        "with suppress(OSError): f()",
    ],
)
def test_one_that_nothing_catches_goes(handler):
    assert "assert" not in stripped(f"{SAFE}{handler}")


@pytest.mark.parametrize(
    "test", ["stack.pop() == 1", "(y := x)", "all(stack)", "1 in stack", "x.noisy", "[a for a in stack]"]
)
def test_one_whose_test_does_something_stays(test):
    text = f"class A:\n    @property\n    def noisy(self): return print('noisy')\ndef f(x, stack): assert {test}"
    assert "assert" in stripped(text)


@pytest.mark.parametrize(
    "test", ["isinstance(x, int)", "len(x.shape) == 2 and x.size(1) > 3", "x in (1, 2)", "x is not None, 'why'"]
)
def test_one_that_only_asks_goes(test):
    assert "assert" not in stripped(f"def f(x):\n    assert {test}\n    return x")


def test_a_test_with_an_effect_runs():
    check("def main():\n    stack = [1, 2]\n    assert stack.pop() == 2\n    print(stack)\n")


def test_literals_and_pass_go_where_something_is_left():
    assert stripped("'''Doc.'''\ndef f():\n    '''Doc.'''\n    pass\n    return None") == "def f():\n    return"
    assert stripped("def f():\n    pass") == "def f():\n    0"


def test_a_return_that_ends_a_function_goes_and_nothing_else():
    assert stripped("def f():\n    a()\n    b()\n    return") == "def f():\n    a()\n    b()"
