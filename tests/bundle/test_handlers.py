"""Handlers: which errors a program may end."""

import ast

import pytest

from pgolf.bundle.handlers import ABSENCE, ASSERTIONS, may_end
from pgolf.bundle.trees import by_class, walk


def ends(text, errors):
    return may_end(by_class(walk(ast.parse(text))).__getitem__, errors)


@pytest.mark.parametrize(
    ("text", "absence", "assertions"),
    [
        ("try: f()\nexcept AttributeError: pass", True, False),
        ("try: f()\nexcept AssertionError: pass", False, True),
        ("try: f()\nexcept Exception: pass", True, True),
        ("try: f()\nexcept: pass", True, True),
        ("try: f()\nexcept* Exception: pass", True, True),
        ("try: f()\nexcept (OSError, NameError): pass", True, False),
        ("try: f()\nexcept OSError: pass", False, False),
        ("try: f()\nexcept builtins.NameError: pass", True, False),
        ("try: f()\nexcept Exception as error: raise ValueError from error", False, False),
        ("with suppress(AssertionError): f()", False, True),
        ("with suppress(OSError): f()", False, False),
        ("for x in y:\n    try: f()\n    finally: continue", True, True),
        ("def g():\n    try: f()\n    finally:\n        if x: return 1", True, True),
        ("try: f()\nfinally: g()", False, False),
        ("class A:\n    def __exit__(self, *error): return x", True, True),
        ("class A:\n    def __exit__(self, *error): return False", False, False),
        ("class A:\n    __exit__ = swallow", True, True),
        ("class A:\n    def __del__(self): f()", True, True),
        ("try: f()\nexcept NameError: raise", False, False),
        ("try: f()\nexcept NameError as error: raise error", False, False),
        ("try: f()\nexcept NameError: raise ValueError", True, False),
        ("try: f()\nexcept (OSError, AssertionError) as error: raise ValueError from error", False, True),
        ("for x in y:\n    try: f()\n    except NameError:\n        if x: continue\n        raise", True, False),
        (
            "def g():\n    try: f()\n    except Exception as error:\n        if x: return 1\n        raise error",
            True,
            True,
        ),
        ("from contextlib import suppress as quiet\nwith quiet(OSError): f()", True, True),
        ("quiet = suppress", True, True),
        ("quiet = partial(contextlib.suppress, OSError)", True, True),
        ("thread = threading.Thread(target=f)", True, True),
        ("from threading import Timer", True, True),
        ("done = pool.submit(f)", True, True),
        ("found = pool.map(f, x)", False, False),
        ("import weakref", True, True),
        ("from weakref import finalize as at_end", True, True),
        ("with contextlib.ExitStack() as stack: stack.push(f)", True, True),
    ],
)
def test_what_may_end_an_error(text, absence, assertions):
    assert (ends(text, ABSENCE), ends(text, ASSERTIONS)) == (absence, assertions)


@pytest.mark.parametrize(
    ("before", "caught"),
    [
        ("class Kind(AssertionError): pass", False),
        ("from library import Kind", False),
        ("Kind = AssertionError", True),
        ("from library import Kind\ndef g(Kind): pass", True),
        ("", True),
    ],
)
def test_a_class_is_another_one_and_a_variable_may_be_any(before, caught):
    assert ends(f"{before}\ntry: f()\nexcept Kind: pass", ASSERTIONS) is caught
