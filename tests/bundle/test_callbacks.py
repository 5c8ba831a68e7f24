"""Parameters that a library may pass by name to a function that it was handed keep their names."""

import ast

import pytest

from pgolf.bundle.minify.members import survey

FUNCTION = (
    "from lib import checkpoint, Thread, pool\nfrom functools import partial\ndef f(x, scale): return x * scale\n"
)


def fixed(text):
    return {name for _, name in survey(ast.parse(text)).fixed}


@pytest.mark.parametrize(
    "text",
    [
        "checkpoint(f, 1, use_reentrant=False, scale=2)",
        "checkpoint(run=f, use_reentrant=False, scale=2)",
        "pool.submit(f, flag=1, scale=2)",
        "g = partial(f, 1)\ncheckpoint(g, flag=1, scale=2)",
        "checkpoint([f], flag=1, scale=2)",
        "Thread(target=f, kwargs={'scale': 2})",
        "def make(): return f\ncheckpoint(make(), flag=1, scale=2)",
        "for g in (f,):\n    checkpoint(g, flag=1, scale=2)",
        "checkpoint([g for g in (f,)], flag=1, scale=2)",
        "checkpoint(lambda scale: scale, flag=1, scale=2)",
        "class K:\n    def m(self, scale): return scale\nk = K()\ncheckpoint(k.m, flag=1, scale=2)",
        "class K:\n    def __init__(self): self.g = f\n    def run(self): return checkpoint(self.g, flag=1, scale=2)",
        "class K:\n    def __init__(self, scale): pass\ncheckpoint(K, flag=1, scale=2)",
    ],
)
def test_what_a_library_may_pass_on_keeps_its_name(text):
    assert "scale" in fixed(FUNCTION + text)


@pytest.mark.parametrize(
    "text",
    [
        "checkpoint(f)",
        "pool.register(1, setup_context=f)",
        "g = f\npool.register(g)",
        "for g in (f,):\n    pool.register(1, [g])",
        "class K:\n    def __init__(self): self.g = f\n    def run(self): return checkpoint(self.g)",
    ],
)
def test_what_a_library_may_call_by_keywords_of_its_own_keeps_all_names(text):
    assert {"x", "scale"} <= fixed(FUNCTION + text)


@pytest.mark.parametrize(
    "text",
    [
        "f(1, 2)",
        "partial(f, 1)(flag=1)",
        "sorted((2, 1), key=f)",
        "g = f\npool.register(g(1, 2))",
        "checkpoint(1, flag=1, scale=2)",
        "checkpoint(f(1, 2), flag=1, scale=2)",
        "def g(other, scale): return checkpoint(other, scale=scale, flag=1)\ng(1, 2)",
    ],
)
def test_other_parameters_may_be_renamed(text):
    assert "scale" not in fixed(FUNCTION + text)
