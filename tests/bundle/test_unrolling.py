"""Loops over the components of a list hook become calls, in which what the recipe gave them stands."""

from pathlib import Path

import pytest
from optimizing import after

from pgolf.bundle.effects import Effects
from pgolf.bundle.link import link, reach
from pgolf.bundle.passes.unrolling import UNROLLING
from pgolf.bundle.program import Program
from pgolf.bundle.records import record_fields
from pgolf.bundle.source import load
from pgolf.manager import load_registry
from pgolf.recipe import load_recipe
from pgolf.resolve import resolve

SUBMISSIONS = Path(__file__).parents[2] / "submissions"

HEAD = """
from functools import partial
from typing import NamedTuple
class Program(NamedTuple):
    taps: tuple
class Recipe:
    def __init__(self, rank): self.rank = rank
    def encode(self, x): return x * self.rank
def double(x): return 2 * x
def add(x, more): return x + more
def make_program(): return Program(taps=TAPS)
"""
MAIN = """
if __name__ == '__main__':
    print(run(make_program()))
"""
CALLS = "    for tap in program.taps: x = tap(x)\n    return x"


def unrolled(taps, body):
    """The lines of `run` after the pass, and those in front of `make_program` that it made."""
    text = after(HEAD.replace("TAPS", taps) + "def run(program):\n    x = 5\n" + body + MAIN, UNROLLING)
    lines = text.split("def run(program):\n")[1].split("if __name__")[0].split("\n")
    made = [line for line in text.split("\n") if line.startswith("recipe")]
    return [line.strip() for line in lines if line.strip()][1:], made


@pytest.mark.parametrize(
    ("taps", "lines"),
    [
        ("(double,)", ["x = double(x)", "return x"]),
        ("(partial(add, more=3),)", ["x = add(x, more=3)", "return x"]),
        ("(double, partial(add, more=3))", ["x = double(x)", "x = add(x, more=3)", "return x"]),
    ],
)
def test_a_loop_becomes_a_call_of_each(taps, lines):
    assert unrolled(taps, CALLS)[0] == lines


def test_an_object_is_made_at_the_top_level_once():
    lines, made = unrolled(
        "(Recipe(4),)", "    for one in program.taps: x = one.encode(x)\n    return x + len(program.taps)"
    )
    assert lines == ["x = recipe.encode(x)", "return x + len(program.taps)"] and made == ["recipe = Recipe(4)"]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("if program.taps: x = 6\n    return x", "if True:"),
        ("return 1 if x > 2 and program.taps else 2", "return 1 if x > 2 else 2"),
        ("if not program.taps: x = 7\n    return x", "return x"),
    ],
)
def test_it_is_known_that_there_is_one(body, line):
    assert line.replace("if True:", "x = 6") in unrolled("(double,)", "    " + body)[0]


@pytest.mark.parametrize(
    ("taps", "body"),
    [
        ("(double,)", "    for tap in program.taps:\n        if x: break\n        x = tap(x)\n    return x"),
        ("(double,)", "    for tap in program.taps: x = tap(x)\n    else: x = 1\n    return x"),
        ("(double,)", "    for tap in program.taps: x = tap(x)\n    return tap(x)"),
        ("(double,)", "    tap = 3\n    for tap in program.taps: x = tap(x)\n    return x"),
        ("(double, double)", "    for tap in program.taps:\n        x = tap(x)\n        x = x + 1\n    return x"),
        ("(double, double, double, double)", CALLS),
        ("(partial(add, more=3),)", "    for tap in program.taps: x = tap(x, more=4)\n    return x"),
        ("(partial(add, more=3),)", "    for tap in program.taps: x = tap(x, **{})\n    return x"),
        ("(partial(add, more=3),)", "    for tap in program.taps: x = list(map(tap, [x]))[0]\n    return x"),
        ("(partial(add, more=len('abc')),)", CALLS),
        ("(double,)", "    double = 3\n    for tap in program.taps: x = tap(x) + double\n    return x"),
    ],
    ids=[
        "break",
        "else",
        "after",
        "twice",
        "long body",
        "many",
        "again",
        "hidden",
        "handed on",
        "no literal",
        "captured",
    ],
)
def test_what_stays_a_loop(taps, body):
    assert any(line.startswith("for tap in program.taps:") for line in unrolled(taps, body)[0])


def test_a_variable_of_the_same_name_inside_is_another_one():
    body = "    for tap in program.taps: x = tap(x) + (lambda tap: tap)(1)\n    return x"
    assert unrolled("(double,)", body)[0][0] == "x = double(x) + (lambda tap: tap)(1)"


@pytest.mark.parametrize("name", ["pr1493", "pr1855"])
def test_constructors_of_the_records_components_only_store(name):
    """One that computes keeps the whole record from being taken apart: 100 bytes, and every loop over components stays."""
    resolved = resolve(load_recipe(SUBMISSIONS / name / "recipe.toml"), load_registry())
    modules = load(resolved.entry, resolved.find_source)
    reach(modules)
    program = Program.of(link(modules))
    effects = Effects(program)
    fields = record_fields(program, "program")
    assert len(fields) > 50 and [field for field, value in fields.items() if not effects.is_idle(value)] == []
