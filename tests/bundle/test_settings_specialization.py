"""Settings become literals, chosen functions are written where they are asked for, and what that decides is folded."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.passes.settings_specialization import specialize_settings
from pgolf.bundle.program import Program
from pgolf.bundle.records import record_fields

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


def specialized(body):
    """The program with this body after the pass."""
    program = Program.of(flat(body))
    specialize_settings(program)
    return program


def body_of(program):
    return "\n".join(ast.unparse(line) for line in program.functions["run"].body)


def run_body(body):
    """The body of `run` after specialising."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    return body_of(specialized(f"def run(settings, program):\n{lines}\n"))


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
        ("for tap in program.taps:\n    x = tap(x)\nreturn x", "for tap in ():\n    x = tap(x)\nreturn x"),
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
    assert body_of(specialized(f"{head}def run(settings, program):\n{lines}\n")) == after


def test_nothing_is_known_when_the_record_is_built_twice():
    twice = flat("def run(settings, program): return settings.depth\n")
    again = Owned("__main__", ast.parse("OTHER = Settings(depth=5, label='', rate=0.0, verbose=True)").body[0])
    assert record_fields(Program.of(Flat((*twice.statements, again))), "settings") == {}


def test_a_reduced_body_keeps_the_meaning_of_names():
    assert run_body("if settings.verbose:\n    len = print\nreturn len('a')").startswith("if False:")


TEXT = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
class Program(NamedTuple):
    mlp: object
    one: tuple
    two: tuple
    made: object
def square(x): return x * x
def double(x): return x + x
class Made:
    def __init__(self): pass
SETTINGS = Settings(depth=4)
def make_program():
    return Program(mlp=square, one=(double,), two=(double, square), made=Made())
{code}
if __name__ == '__main__':
    print(run(SETTINGS, make_program(), 3))
"""


def parts(code):
    nodes = ast.parse(TEXT.format(code=code)).body
    entry = {"SETTINGS", "make_program", ""}
    names = [getattr(node, "name", getattr(getattr(node, "targets", [None])[0], "id", "")) for node in nodes]
    return Flat(
        tuple(Owned("__main__" if name in entry else "m", node) for name, node in zip(names, nodes, strict=True))
    )


def component_body(body, head="def run(settings, program, x):"):
    lines = "\n".join("    " + line for line in body.split("\n"))
    program = Program.of(parts(f"{head}\n{lines}"))
    specialize_settings(program)
    return body_of(program)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return program.mlp(x)", "return square(x)"),
        ("return x.program.mlp", "return square"),
        ("return program.mlp is None", "return False"),
    ],
)
def test_functions_are_put_in(before, after):
    assert component_body(before) == after


@pytest.mark.parametrize(
    "body",
    [
        "square = x\nreturn program.mlp(square)",
        "return [square for square in x if program.mlp]",
        "return program.made(x)",
        "for f in program.two:\n    x = f(x)\nreturn x",
    ],
)
def test_look_alikes_stay(body):
    assert component_body(body) == ast.unparse(ast.parse(body))
