"""Closed functions: those all of whose calls the program shows."""

import ast

import pytest
from test_program import program

from pgolf.bundle.passes.call_graph import CallGraph

MAIN = "\nif __name__ == '__main__':\n    main()"


def graph(text):
    return CallGraph(program(text + MAIN))


def closed(text):
    """Function -> how many calls it has."""
    return {callee.node.name: len(callee.calls) for callee in graph(text).closed.values()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(x): return x\ndef main(): f(1); f(2)", {"f": 2, "main": 1}),
        ("def f(x): return x\ndef main(): f(1); print(f)", {"main": 1}),
        ("def f(x): return x\ndef main(): map(f, [1])", {"main": 1}),
        ("def f(x): return x\ndef main(): pass", {"main": 1}),
        ("def f(x): return f(x - 1)\ndef main(): pass", {"f": 1, "main": 1}),
        ("def f(x): return x\nf = 1\ndef main(): f(1)", {"main": 1}),
        ("def f(x): return x\ndef main():\n    global f\n    f = 1\n    f(1)", {"main": 1}),
        # The calls must be plain to see, and fit.
        ("def f(x): return x\ndef main(): f(*[1])", {"main": 1}),
        ("def f(x): return x\ndef main(): f(**{'x': 1})", {"main": 1}),
        ("def f(x): return x\ndef main(): f()", {"main": 1}),
        ("def f(x): return x\ndef main(): f(1); f(1, 2)", {"main": 1}),
        ("def f(x, /): return x\ndef main(): f(1)", {"main": 1}),
        # Decorators that hand on what they are given, and others.
        ("@torch.no_grad()\ndef f(x): return x\ndef main(): f(1)", {"f": 1, "main": 1}),
        ("@inference_mode\ndef f(x): return x\ndef main(): f(1)", {"f": 1, "main": 1}),
        ("@functools.cache\ndef f(x): return x\ndef main(): f(1)", {"main": 1}),
        ("@torch.no_grad()\n@other\ndef f(x): return x\ndef main(): f(1)", {"main": 1}),
    ],
)
def test_functions(text, found):
    assert closed(text) == found


CLASS = "class A:\n    def run_it(self, x): return x\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{CLASS}def main(): A().run_it(1)", {"run_it": 1, "main": 1}),
        (f"{CLASS}def main(a): a.run_it(1); a.run_it(x=2)", {"run_it": 2}),
        (f"{CLASS}def main(): print(A().run_it)", {"main": 1}),
        # Asked of the class, so that the first argument is the object.
        (f"{CLASS}def main(): A.run_it(A(), 1)", {"main": 1}),
        # Two definitions of one name, a word of the program, no object of its own.
        (f"{CLASS}class B:\n    def run_it(self, x): return x\ndef main(): A().run_it(1)", {"main": 1}),
        (f"{CLASS}def main(): A().run_it(1); print('run_it')", {"main": 1}),
        ("class A:\n    @staticmethod\n    def run_it(x): return x\ndef main(): A().run_it(1)", {"main": 1}),
        (
            "class A:\n    def run_it(self, x):\n        self = 1\n        return x\ndef main(): A().run_it(1)",
            {"main": 1},
        ),
        (f"{CLASS}def main(): A().run_it(*[1])", {"main": 1}),
    ],
)
def test_methods(text, found):
    assert closed(text) == found


MADE = "class A:\n    def __init__(self, x): self.x = x\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{MADE}def main(): A(1); A(2)", {"__init__": 2, "main": 1}),
        (f"{MADE.replace('A:', 'A(nn.Module):')}def main(): A(1)", {"__init__": 1, "main": 1}),
        (f"{MADE.replace('A:', 'A(Base):')}def main(): A(1)", {"main": 1}),
        (f"{MADE.replace('A:', 'A(nn.Module, Base):')}def main(): A(1)", {"main": 1}),
        (f"{MADE.replace('A:', 'A(metaclass=M):')}def main(): A(1)", {"main": 1}),
        (f"@other\n{MADE}def main(): A(1)", {"main": 1}),
        (f"{MADE}def main(): A(1); print(A)", {"main": 1}),
        (f"{MADE}def main(): A(1); type(A(1))(2)", {"main": 1}),
        (f"{MADE}def main(): A(1).__init__(2)", {"main": 1}),
        (f"{MADE}A = 1\ndef main(): A(1)", {"main": 1}),
        ("class A:\n    def __init__(self, self_2):\n        self = 2\ndef main(): A(1)", {"main": 1}),
    ],
)
def test_constructors(text, found):
    assert closed(text) == found


def test_what_a_callee_says():
    found = graph(f"{MADE}{CLASS.replace('A', 'B')}def f(a, b=2): return a\ndef main(): f(1); A(3); B().run_it(4)")
    callees = {callee.node.name: callee for callee in found.closed.values()}
    assert callees["__init__"].constructs and not callees["f"].constructs and not callees["run_it"].constructs
    assert {name: one.signature.names for name, one in callees.items()} == {
        **{"f": ("a", "b"), "__init__": ("x",), "run_it": ("x",), "main": ()},
    }
    assert all(found.called[call] is one for one in callees.values() for call in one.calls)
    with pytest.raises(AttributeError):
        callees["f"].constructs = True


def test_the_parameter_that_an_argument_becomes():
    found = graph("def f(a, b=2): return a\ndef main(): f(1, b=3); f(b=4, a=5); g(6)")
    calls = {ast.unparse(call): call for call in found.program.nodes(ast.Call)}
    scope = found.program.scope(found.program.functions["f"])
    first, second, other = calls["f(1, b=3)"], calls["f(b=4, a=5)"], calls["g(6)"]
    assert found.parameter(first, first.args[0]) == (scope, "a")
    assert found.parameter(first, first.keywords[0].value) == (scope, "b")
    assert found.parameter(second, second.keywords[1].value) == (scope, "a")
    assert found.parameter(first, second.keywords[0].value) is None
    assert found.parameter(other, other.args[0]) is None


def test_what_more_arguments_become_is_not_plain_to_see():
    found = graph("def f(a, *rest, **more): return a\ndef main(): f(1, 2, z=3)")
    (call,) = [call for call in found.program.nodes(ast.Call) if ast.unparse(call.func) == "f"]
    assert found.parameter(call, call.args[0]) is not None
    assert found.parameter(call, call.args[1]) is None and found.parameter(call, call.keywords[0].value) is None


def test_the_table_is_made_again_after_a_change():
    found = graph("def f(x): return x\ndef main(): f(1)")
    assert len(found.closed) == 2
    (call,) = [call for call in found.program.nodes(ast.Call) if ast.unparse(call) == "f(1)"]
    found.program.put(call, ast.parse("print(f)").body[0].value)
    assert [node.name for node in CallGraph(found.program).closed] == ["main"]


def test_a_closed_function_shows_who_reads_its_parameters_that_nothing_else_binds():
    text = "def f(a, b, c, *, d=1):\n    b = 2\n    return a, [a + d for _ in b]\ndef main(): f(1, 2, 3)"
    found = {callee.node.name: callee.reads for callee in graph(text).closed.values()}
    assert {name: len(reads) for name, reads in found["f"].items()} == {"a": 2, "c": 0, "d": 1}
