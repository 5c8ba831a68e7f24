"""Members: what is the program's own may get another name, and look-alikes may not."""

import ast
import math
import re
import zlib
from pathlib import Path

import numpy
import pytest
import torch

from pgolf.bundle.minify.legality import survey
from pgolf.bundle.visibility import EXTERNAL_NAMES

CLASS = """
from typing import NamedTuple
class Record(NamedTuple):
    width_of: int
    height_of: int = 2
    def area_of(self): return self.width_of * self.height_of
class Thing:
    kind_of = "t"
    def __init__(self, given): self.given_to = given
    def run_it(self, first_one): return self.given_to, first_one
"""
OWN = {"width_of", "height_of", "area_of", "kind_of", "given_to", "run_it"}


def own(extra=""):
    return survey(ast.parse(CLASS + extra)).own


def fixed(text):
    return {name for _, name in survey(ast.parse(text)).fixed}


def test_members_of_the_programs_classes_are_its_own():
    assert own() == OWN
    assert own("def f(record, thing): return record.width_of, thing.run_it(1), Record(width_of=1)") == OWN
    assert own("def f(record): return record._replace(width_of=3)") == OWN


@pytest.mark.parametrize(
    ("extra", "lost"),
    [
        ("NAMES = ('blocks.given_to.weight',)", {"given_to"}),
        ("def f(x): return x['run_it']", {"run_it"}),
        ("import torch\ndef f(): return torch.ops.kind_of", {"kind_of"}),
        ("import torch\ndef f(): return torch.load(1).a[0].run_it", {"run_it"}),
        ("def f(x): x.given_to = 1", {"given_to"}),
        ("def f(x): del x.given_to", {"given_to"}),
        ("class Net(nn.Module):\n    def __init__(self, x): self.given_to = x", {"given_to"}),
        ("class Net(Base):\n    def __init__(self, x): self.given_to = x\nclass Base(nn.Module): pass", {"given_to"}),
        ("def f(g): return g(width_of=1)", {"width_of"}),
        ("from functools import partial\nP = partial(Record, height_of=1)", {"height_of"}),
        ("def f(g, k): return g(**k)", {"width_of", "height_of"}),
        ("def f(x):\n    match x:\n        case Thing(given_to=3): return 1", {"given_to"}),
        ("def f(x): return getattr(x, 'run_it')", OWN),
        ("def f(x, n): return hasattr(x, n)", OWN),
        ("def f(x): return x._fields", OWN),
        ("def f(x): return x._asdict()", OWN),
        ("from dataclasses import asdict", OWN),
        ("from collections import namedtuple", OWN),
        ("import unheard_of", OWN),
        ("import triton\n@triton.jit\ndef kernel(p): return p.run_it.given_to", {"run_it", "given_to"}),
        ("import triton\n@triton.jit\ndef kernel(p): return p\ndef f(): return kernel.run_it", {"run_it"}),
        ("import triton\nif triton is not None:\n    @triton.jit\n    def kernel(p): return p.given_to", {"given_to"}),
        ("import triton\ndef f(): return triton.next(1).given_to", {"given_to"}),
        ("def f(x): return Thing.run_it(x, 1)", {"given_to"}),
    ],
)
def test_what_also_means_something_else_keeps_its_name(extra, lost):
    assert own(extra + "\n") == OWN - lost


def test_a_self_that_is_bound_again_is_not_trusted():
    text = "class A:\n    def f(self, x):\n        self = x\n        self.stored_in = 1\n"
    assert "stored_in" not in survey(ast.parse(text)).own
    text = "class A:\n    @staticmethod\n    def f(model):\n        model.stored_in = 1\n"
    assert "stored_in" not in survey(ast.parse(text)).own


def test_names_with_underscores_stay():
    assert survey(ast.parse("class A:\n    def _f(self): self._x = 1\n    def __call__(self): pass")).own == set()


def test_records_that_the_model_holds_are_no_submodules():
    text = (
        "class Net(nn.Module):\n    def __init__(self, program, block): self.program, self.block_of = program, block\n"
    )
    assert survey(ast.parse(text)).own == {"program"} - EXTERNAL_NAMES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(a, b): return a\ndef g(h): return h(1, 2)", set()),
        ("def f(a, b): return a\ndef g(h): return h(1, b=2)", {"b"}),
        ("def f(a, b): return a\ndef g(h): return h(b=2, c=3)", set()),
        ("def f(a, *, b): return a\ndef g(h): return h(b=2)", {"b"}),
        ("def f(a, /, b): return a\ndef g(h): return h(a=2)", set()),
        ("def f(a, **rest): return a\ndef g(h): return h(a=2, c=3)", {"a"}),
        ("def f(a): return a\ndef g(h, k): return h(**k)", {"a", "h", "k"}),
        ("from functools import partial\ndef f(a, b): return a\nP = partial(f, b=1)", {"b"}),
        ("F = lambda a, b=1: a\ndef g(): return F(1, b=2)", {"b"}),
        ("@triton.jit\ndef f(a, b): return a", {"a", "b"}),
        ("@torch.library.custom_op('a::b', mutates_args=())\ndef f(a, b): return a", {"a", "b"}),
        (
            "class N(nn.Module):\n    def forward(self, ids): return ids\n    def own_one(self, x): return x",
            {"ids"},
        ),
    ],
)
def test_parameters_that_may_be_passed_by_name_are_fixed(text, names):
    assert fixed(text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "def f(first, second): return first\ndef g(third): return third\ndef h(fourth): return f(**fourth), g(1)",
            {"first", "second"},
        ),
        (
            "@triton.jit\ndef k(out, SIZE: tl.constexpr): out\ndef g(third): k[1,](third, **{'SIZE': 2})",
            {"out", "SIZE"},
        ),
        ("def g(third): return third\ndef h(fourth, f): return f(**fourth), g(1)", {"third", "fourth", "f"}),
        ("def g(third): return third\nf = partial(g)\ndef h(fourth): return f(**fourth), g(1)", {"third", "fourth"}),
        (
            "def g(third): return third\ndef f(first): return first\ndef h(f, given): return f(**given)",
            {"third", "first", "f", "given"},
        ),
    ],
)
def test_keywords_that_a_call_hides_are_those_of_the_function_that_it_calls(text, names):
    assert fixed(text) == names


def test_the_list_knows_what_programs_handle():
    things = [
        torch.zeros(1), torch.nn.Linear(1, 1), torch.optim.AdamW([torch.zeros(1)]), torch.Generator(), torch.Size(),
        torch.device("cpu"), torch.float32, numpy.zeros(1), numpy.float64(1), numpy.random.default_rng(), Path(),
        zlib.decompressobj(), zlib.compressobj(), re.compile("a"), re.match("a", "a"), math, "", b"", [], {}, set(), 1, 1.0,
        ValueError(), (i for i in ()),
    ]  # fmt: skip
    for thing in things:
        missing = {name for name in dir(type(thing)) if not name.startswith("_")} - EXTERNAL_NAMES
        assert missing == set(), type(thing)
    assert {"param_groups", "in_features", "returncode", "stdout"} <= EXTERNAL_NAMES


def test_a_format_string_with_spaces_names_attributes():
    text = "class C:\n    def __init__(self): self.wide_thing = 4\nprint('it is {0.wide_thing} wide'.format(C()))\n"
    assert "wide_thing" not in survey(ast.parse(text)).own
    assert "wide_thing" in survey(ast.parse(text.replace("{0.wide_thing}", "{0}"))).own
