"""What may go, move and be repeated."""

import ast

import pytest
from test_program import expression, program

from pgolf.bundle.effects import Effects, can_hold, is_chain, is_movable, is_pure, rebound_names


@pytest.mark.parametrize(
    ("text", "pure"),
    [
        *(("3", True), ("-0.5", True), ("(1, 'a')", True), ("x is None", True), ("not (x is y and True)", True)),
        *(("x", False), ("x.y is None", False), ("x == 1", False), ("f()", False), ("[1]", False)),
    ],
)
def test_pure(text, pure):
    assert is_pure(expression(text)) is pure


@pytest.mark.parametrize(
    ("text", "chain"), [("a", True), ("a.b.c", True), ("a().b", False), ("1", False), ("a[0]", False)]
)
def test_chain(text, chain):
    assert is_chain(expression(text)) is chain


def test_what_an_expression_may_bind_does_not_move():
    tree = ast.parse("def tick():\n    global total\n    total += 1\nf(b=(x := 5), a=y)")
    rebound = rebound_names(ast.walk(tree))
    assert [is_movable(expression(text), rebound) for text in ("total", "x", "y", "3", "y.z")] == [
        *(False, False, True, True, False)
    ]


HANDLER = "def main():\n    try: print(x.y)\n    except {}: {}\n"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (HANDLER.format("AttributeError", "pass"), True),
        (HANDLER.format("NameError", "pass"), True),
        (HANDLER.format("UnboundLocalError", "pass"), True),
        (HANDLER.format("Exception", "pass"), True),
        (HANDLER.format("(ValueError, Exception) as error", "print(error)"), True),
        (HANDLER.format("builtins.Exception", "pass"), True),
        (HANDLER.format("ERRORS", "pass"), True),
        (HANDLER.replace(" {}:", ":").format("pass"), True),
        (HANDLER.format("Exception as error", "raise ValueError('damaged') from error"), False),
        (HANDLER.format("ValueError", "pass"), False),
        (HANDLER.format("(OSError, subprocess.TimeoutExpired)", "pass"), False),
        ("class Missing(ValueError): pass\n" + HANDLER.format("Missing", "pass"), False),
        ("from queue import Empty\n" + HANDLER.format("Empty", "pass"), False),
        ("from contextlib import suppress\ndef main():\n    with suppress(Exception): print(x.y)\n", True),
        ("import contextlib\ndef main():\n    with contextlib.suppress(NameError): print(x)\n", True),
        ("from contextlib import suppress\ndef main():\n    with suppress(OSError): print(x.y)\n", False),
        ("class Quiet:\n    def __enter__(self): pass\n    def __exit__(self, *error): return True\n", True),
        ("class Loud:\n    def __enter__(self): pass\n    def __exit__(self, *error): self.close()\n", False),
        ("def main(): print(getattr(x, 'y', 3))\n", True),
        ("def main(): print(hasattr(x, 'y'))\n", True),
    ],
)
def test_who_can_tell_that_something_is_missing(text, seen):
    assert Effects(program(text)).observes_absence is seen


IDLE = """
from functools import partial
from typing import NamedTuple
class Row(NamedTuple):
    a: int
class Plain:
    def __init__(self, a, b=2): self.a, self.b = a, (b, LIMIT)
class Busy:
    def __init__(self, a): self.a = print(a)
class Base(Plain): pass
class Odd:
    def __init__(self, a): a.b = 3
LIMIT = 3
count = 0
def step():
    global count
    count += 1
"""


@pytest.mark.parametrize(
    ("text", "idle"),
    [
        *(
            ("Row(1)", True),
            ("Row(a=LIMIT)", True),
            ("Plain(1)", True),
            ("partial(step, 3)", True),
            ("[Plain(1), ()]", True),
        ),
        *(("Busy(1)", False), ("Base(1)", False), ("Plain(count)", False), ("step()", False), ("{step(): 1}", False)),
        *(
            ("{'a': Plain(step)}", True),
            ("Plain(*x)", False),
            ("Plain(**x)", False),
            ("unknown(1)", False),
            ("x.y()", False),
            ("Plain(print(1))", False),
            ("x", False),
            ("Odd(x)", False),
            ("Odd(1)", False),
            ("LIMIT + 1", False),
        ),
    ],
)
def test_idle_expressions_only_make_objects(text, idle):
    found = program(f"{IDLE}\nRESULT = {text}")
    assert Effects(found).is_idle(found.body[-1].value) is idle


@pytest.mark.parametrize(
    ("text", "idle"),
    [
        *(("def f(): return Plain(LIMIT)", True), ("def f(LIMIT): return Plain(LIMIT)", False)),
        *(("def f(Plain): return Plain(1)", False), ("def f():\n    for LIMIT in g(): return Row(LIMIT)", False)),
    ],
)
def test_a_variable_of_a_function_is_not_the_constant_that_is_called_like_it(text, idle):
    found = program(f"{IDLE}\n{text}")
    (line,) = found.nodes(ast.Return)
    assert Effects(found).is_idle(line.value) is idle


@pytest.mark.parametrize(
    ("body", "droppable"),
    [
        *(
            ("a = p\n    return a", True),
            ("a, b = p, p\n    if p: return a", True),
            ("if p: a = p\n    return a", False),
        ),
        *(("print()\n    for p in p: a = p\n    return a", False), ("a = p\n    a = 1\n    return a", False)),
        *(("a = p\n    del a\n    return a", False), ("if p: return a\n    a = p", False)),
    ],
)
def test_a_variable_is_there_below_the_line_that_binds_it(body, droppable):
    found = program(f"def f(p):\n    {body}\n")
    (line,) = found.nodes(ast.Return)
    assert Effects(found).is_droppable(line.value) is droppable


@pytest.mark.parametrize(
    ("value", "handler", "droppable"),
    [
        *(("3", "", True), ("LIMIT", "", True), ("p", "", True), ("p.a_own", "", True), ("p.other", "", False)),
        *(("p.late_own", "", False), ("count", "", False), ("q", "", True), ("f()", "", False)),
        *(("p.a_own", "AttributeError", False), ("p", "AttributeError", True)),
    ],
)
def test_droppable(value, handler, droppable):
    code = (
        "LIMIT = 3\ncount = 0\nclass A:\n    def __init__(self): self.a_own = 1\n"
        "    @property\n    def late_own(self): return 1\n"
        f"def f(p):\n    global count\n    count = 1\n    q = p\n    x = {value}\n"
    )
    found = program(code + (HANDLER.format(handler, "pass") if handler else ""))
    (value,) = [node.value for node in found.nodes(ast.Assign) if ast.unparse(node.targets[0]) == "x"]
    assert Effects(found).is_droppable(value) is droppable


@pytest.mark.parametrize(
    ("text", "copies"),
    [
        *(("import copy\n", True), ("from copy import deepcopy\n", True), ("from copy import replace as r\n", True)),
        *(("from torch.optim.swa_utils import AveragedModel\n", True), ("x = torch.copy(1)\n", False)),
        *(("x = swa_utils.AveragedModel(1)\n", True), ("import shutil\n", False)),
    ],
)
def test_copies(text, copies):
    assert Effects(program(text)).copies_objects is copies


@pytest.mark.parametrize(
    ("line", "literal", "fits"),
    [
        *(
            ("f(PLACE)", "'a'", True),
            ("PLACE(1)", "3", False),
            ("PLACE.upper()", "'a'", True),
            ("PLACE.real", "3", False),
        ),
        *(
            ("PLACE is x", "3", False),
            ("PLACE is x", "None", True),
            ("PLACE is None", "3", True),
            ("PLACE == x", "3", True),
        ),
        *(("f'{PLACE}'", "'a'", True), ("f'{PLACE:>{x}}'", "3", True), ("f'{PLACE:>{x}}'", "'a'", False)),
        *(("f'{g(PLACE)}'", "3", True), ("f'{g(PLACE)}'", "'a'", False), ("f'{PLACE == x}'", "'a'", False)),
    ],
)
def test_where_a_literal_may_stand(line, literal, fits):
    for kernel in (False, True):
        found = program("@triton.jit\n" * kernel + f"def f(x): {line}")
        (place,) = [node for node in found.nodes(ast.Name) if node.id == "PLACE"]
        assert can_hold(found, place, expression(literal)) is (fits and not kernel)


def test_no_literal_stands_in_a_pattern():
    found = program("def f(x):\n    match x:\n        case PLACE.a: pass")
    (place,) = found.nodes(ast.Attribute)
    assert not can_hold(found, place, expression("3"))


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        *(("type(x) is A", False), ("type(x).__name__", False), ("type(x).make()", True), ("type(x)(1)", True)),
        *(("x.__init__(1)", True), ("super().__init__(1)", False), ("x.__class__(1)", True), ("type(x, y, z)", True)),
    ],
)
def test_constructors_that_no_call_by_name_shows(text, unseen):
    assert Effects(program(f"def f(x): {text}")).constructs_unseen is unseen
