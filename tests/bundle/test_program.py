"""The index: it answers for the program as it is now, whatever was changed, and however."""

import ast

import pytest

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.program import Program

TEXT = """
import torch
LIMIT = 3
count = 0
class Clock:
    size = 4
    def __init__(self, start): self.start = start
    def tick(self): return self.start + LIMIT
def step(x):
    global count
    count = count + 1
    return [tick(x) for LIMIT in x]
def tick(x): return x.start, len(x)
if __name__ == '__main__':
    print(step(Clock(1)), tick)
"""


def program(text=TEXT):
    return Program.of(Flat(tuple(Owned("m", node) for node in ast.parse(text).body)))


def expression(text):
    return ast.parse(text).body[0].value


def lines(nodes):
    return [node.lineno for node in nodes]


def test_names_are_those_of_the_top_level():
    found = program()
    assert lines(found.reads["LIMIT"]) == [8], "the variable of the comprehension is another one"
    assert lines(found.reads["tick"]) == [12, 15]
    assert [type(node).__name__ for node in found.writes["count"]] == ["Name", "Name"]
    assert lines(found.attributes["start"]) == [7, 8, 13]
    assert [ast.unparse(node.func) for node in found.nodes(ast.Call)][:2] == ["tick", "len"] and found.nodes(
        ast.Try
    ) == []
    assert found.global_names == {"count"} and {"LIMIT", "self", "x"} <= found.bound_inside
    assert set(found.classes) == {"Clock"} and set(found.functions) == {"step", "tick"}
    assert set(found.members) == {"size", "__init__", "tick"} and found.main is found.body[-1]


def test_a_constant_is_bound_once_and_for_all():
    found = program()
    assert [found.is_constant(name) for name in ("LIMIT", "torch", "Clock", "len", "count", "nothing")] == [
        *(True, True, True, True),
        *(False, False),
    ]


def test_calls_are_known_only_where_there_is_no_other_use():
    found = program()
    assert found.calls(found.reads["tick"]) is None
    (call,) = found.calls(found.reads["step"])
    assert ast.unparse(call) == "step(Clock(1))" and found.call_of(call.func) is call
    assert found.statement(call) is found.body[-1] and found.function(call) is None
    assert found.function(found.reads["tick"][0]) is found.functions["step"]


def test_what_was_changed_is_looked_at_again():
    found = program()
    untouched = found.facts(found.classes["Clock"])
    (call,) = found.calls(found.reads["step"])
    found.put(call, expression("later(LIMIT, Clock)"))
    assert "step" not in found.reads and len(found.reads["LIMIT"]) == 2
    assert found.facts(found.classes["Clock"]) is untouched, "no other statement has to be looked at again"
    found.put(found.reads["later"][0], expression("earlier"))
    assert "later" not in found.reads and ast.unparse(found.main.body[0]) == "print(earlier(LIMIT, Clock), tick)"


def test_a_body_keeps_a_line():
    found = program()
    for line in list(found.functions["step"].body):
        found.put(line)
    assert ast.unparse(found.functions["step"]) == "def step(x):\n    pass"
    assert found.global_names == set()
    found.put(found.functions["step"].body[0], *ast.parse("x = 1\nreturn x").body)
    assert ast.unparse(found.functions["step"]) == "def step(x):\n    x = 1\n    return x"


def test_statements_come_and_go_with_their_owners():
    found = program()
    step = found.functions["step"]
    found.insert(step, ast.parse("early = 1").body, "other")
    found.replace(step, ast.parse("def first(): return early\ndef second(): return 2").body)
    found.remove([found.classes["Clock"]])
    assert [(item.owner, found.facts(item.node).bound) for item in found.statements] == [
        *(("m", ("torch",)), ("m", ("LIMIT",)), ("m", ("count",)), ("other", ("early",))),
        *(("m", ("first",)), ("m", ("second",)), ("m", ("tick",)), ("m", ())),
    ]
    assert found.owner(found.functions["second"]) == "m" and len(found.reads["early"]) == 1


def test_the_program_that_was_given_stays_as_it_was():
    flat = Flat(tuple(Owned("m", node) for node in ast.parse(TEXT).body))
    before = flat.text
    found = Program.of(flat)
    found.put(found.reads["LIMIT"][0], expression("4"))
    assert Flat(flat.statements).text == before != found.flat.text


@pytest.mark.parametrize(
    ("wanted", "name"), [("clock", "clock"), ("tick", "tick_2"), ("1", "value_1"), ("if", "if_2"), ("len", "len_2")]
)
def test_a_fresh_name_is_no_word_of_the_program(wanted, name):
    found = program()
    assert found.fresh(wanted) == name and found.fresh(wanted) != name


def test_what_is_put_in_has_the_line_of_what_it_replaces():
    found = program("x = 1\n\n\nz = y")
    name = found.body[1].value
    found.put(name, ast.Constant(3))
    assert found.body[1].value.value == 3 and found.body[1].value.lineno == 4


def test_attributes_that_constructors_store_are_its_own():
    assert "mine_here" in program("class A:\n    def __init__(self): self.mine_here = 1\nprint(A().mine_here)").own


def test_only_the_block_that_runs_as_the_program_is_the_main_one():
    assert program("x = 1\nif x: print(x)").main is None and program("x = 1").main is None
    found = program("if __name__ == '__main__': print(1)")
    assert found.main is found.body[0]
