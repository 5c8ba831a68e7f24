"""Specialising: fields become literals, and what they decide is folded."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.manager import specialize
from pgolf.bundle.specialize.records import facts, trim
from pgolf.bundle.specialize.substitute import substitute

HEAD = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
    label: str
    rate: float
    verbose: bool
    width: int = 3
class Program(NamedTuple):
    adapter: object
    clock: object
    mlp: object
    taps: tuple
    names: tuple
    recipes: dict
def clock(): return 1
SETTINGS = Settings(depth=4, label="it's", rate=-0.0, verbose=False)
def make_program():
    return Program(adapter=None, clock=clock(), mlp=clock, taps=(), names=("a", "b"), recipes={})
"""
MAIN = "if __name__ == '__main__':\n    run(SETTINGS, make_program())\n"


def flat(body):
    text = HEAD + body + MAIN
    owner = ("imports", "records", "records", "records", "__main__", "__main__")
    nodes = ast.parse(text).body
    owners = [*owner, *["code"] * (len(nodes) - len(owner) - 1), "__main__"]
    return Flat(tuple(Owned(name, node) for name, node in zip(owners, nodes, strict=True)))


def run_body(body):
    """The body of `run` after specialising."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    result, _ = substitute(flat(f"def run(settings, program):\n{lines}\n"))
    node = next(item.node for item in result.statements if getattr(item.node, "name", "") == "run")
    return "\n".join(ast.unparse(item) for item in node.body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return settings.depth", "return 4"),
        ("return settings.width", "return 3"),
        ("return settings.rate", "return -0.0"),
        ("return model.block.settings.depth + x", "return 4 + x"),
        ("return settings.label.upper()", 'return "it\'s".upper()'),
        ("return f'{settings.label}/{settings.depth:03d}/{settings.rate!r}'", 'return "it\'s/004/-0.0"'),
        ("return f'{settings.label.upper()}{settings.depth + x}'", "return f'{settings.label.upper()}{4 + x}'"),
        ("return f'{settings.label:{x}}'", "return f'{settings.label:{x}}'"),
        ("if settings.verbose:\n    log(x)\nreturn x", "return x"),
        ("if settings.depth > 3 and x:\n    return y\nreturn z", "if x:\n    return y\nreturn z"),
        ("for tap in program.taps:\n    x = tap(x)\nreturn x", "for tap in program.taps:\n    x = tap(x)\nreturn x"),
        ("for tap in program.taps:\n    tap(1)\nreturn 2", "return 2"),
        ("if self.program.adapter is not None:\n    x()\nreturn y", "return y"),
        ("return x if program.clock is None else program.clock", "return program.clock"),
        ("if program.clock is not None:\n    return x", "return x"),
        ("if not program.clock:\n    return x", "if not program.clock:\n    return x"),
        ("return program.mlp is None", "return False"),
        ("return settings.depth is x", "return settings.depth is x"),
        ("return settings.verbose is x, settings.depth is None", "return (False is x, False)"),
        ("return program.names", "return program.names"),
        ("return program.recipes", "return program.recipes"),
        ("return settings.unknown, settings", "return (settings.unknown, settings)"),
        ("return other.depth", "return other.depth"),
    ],
)
def test_fields_become_literals(before, after):
    # `x`, `y` and so on are globals here; only the shape matters.
    head = "".join(f"{name} = 1\n" for name in ("x", "y", "z", "model", "other", "self", "log"))
    lines = "\n".join("    " + line for line in before.split("\n"))
    result, _ = substitute(flat(f"{head}def run(settings, program):\n{lines}\n"))
    node = next(item.node for item in result.statements if getattr(item.node, "name", "") == "run")
    assert "\n".join(ast.unparse(item) for item in node.body) == after


def test_fields_that_nothing_reads_any_more_disappear():
    # `clock()` is a call of a function, which may do anything, so that it is called where it was.
    text = specialize(
        flat("def run(settings, program):\n    print(settings.depth, program.names, program.clock)\n")
    ).text
    assert "Settings" not in text and "run(make_program())" in text
    assert "    global clock_2" in text and "    clock_2 = clock()\n" in text and "Program" not in text
    assert "adapter" not in text and "rate" not in text and "print(4, ('a', 'b'), clock_2)" in text


def test_a_field_whose_name_is_read_anywhere_stays():
    text = trim(
        substitute(flat("def run(settings, program, other=None):\n    return other.label, settings[0]\n"))[0]
    ).text
    assert "label: str" in text and 'Settings(label="it\'s")' in text


def test_nothing_is_known_when_the_record_is_built_twice():
    twice = flat("def run(settings, program): return settings.depth\n")
    again = Owned("__main__", ast.parse("OTHER = Settings(depth=5, label='', rate=0.0, verbose=True)").body[0])
    assert facts(Flat((*twice.statements, again))).literals["settings"] == {}


def test_a_reduced_body_keeps_the_meaning_of_names():
    assert run_body("if settings.verbose:\n    len = print\nreturn len('a')").startswith("if settings.verbose:")
