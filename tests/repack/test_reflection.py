"""Which names and texts forbid what."""

import pytest

from pgolf.repack import script
from pgolf.repack.repack import gather


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("def f(x):\n    value = x\n    return value", set()),
        ("vars(f)", set()),
        ("model.eval()\nmodel.compile()\nre.compile('x')", set()),
        ("def f(help): return help", set()),
        ("x = type(y).__name__, y.__class__.__name__", set()),
        ("if __name__ == '__main__': pass", set()),
        ("globals()['x']", set()),
        ("vars()", {"globals"}),
        ("for k in globals(): pass", {"globals"}),
        ("eval('x')", {"locals", "globals"}),
        ("exec(s)", {"locals", "globals", "latin1"}),
        ("from math import *", {"locals", "globals"}),
        ("import sys\nsys._getframe()", {"locals", "globals", "function names"}),
        ("import sys\nsys.modules['x']", {"globals"}),
        ("import __main__", {"globals"}),
        ("f.__name__", set()),
        ("import multiprocessing as mp", set()),
        ("from inspect import getsource", {"text"}),
        ("f.__doc__", {"literals"}),
        ("import typing\ntyping.get_type_hints(f)", {"annotations"}),
        ("import torch\ntorch.jit.script(f)", {"annotations", "locals", "globals", "literals"}),
        ("open(__file__).read()", set()),
        ("open(__file__).readlines()", {"latin1"}),
        ("from pathlib import Path\nPath(__file__).parent / 'x'", set()),
        ("import os\nos.path.dirname(os.path.abspath(__file__))", set()),
        ("def f():\n    g(locals)", {"locals"}),
    ],
)
def test_what_is_forbidden(text, forbidden):
    evidence = gather(script.parse(text))
    reasons = [reason for reason in evidence.reasons if reason.what != "public names"]
    assert {reason.what for reason in reasons} == forbidden
    assert all(reason.line == len(text.splitlines()) or reason.line == 1 for reason in reasons)
