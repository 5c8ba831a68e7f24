"""Call graph: the functions and methods all of whose calls the program shows.

A function of the top level is *closed* if its name is read only to be called, and a method if its name is the program's own,
defined once, and read only to be called. Whatever such a function is given, and whatever becomes of what it returns, can be
seen; any other function may be called by anybody with anything.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from pgolf.bundle.effects import Effects
from pgolf.bundle.facts import Facts
from pgolf.bundle.names import Scope
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Signature, binds_self, hides_arguments, methods_of

PLAIN_DECORATORS = ("no_grad", "inference_mode")
"""Decorators that call the function with what they are given and return what it returns."""


@dataclass(frozen=True, eq=False)
class Callee:
    """A closed function.

    Attributes:
        node: its definition.
        signature: the parameters that its calls give.
        reads: parameter that nothing else binds -> each place that reads it.
        calls: all of them.
        constructs: whether it is a constructor, so that its calls give an object.
    """

    node: ast.FunctionDef
    signature: Signature
    reads: dict[str, list[ast.AST]]
    calls: tuple[ast.Call, ...]
    constructs: bool = False


class CallGraph:
    """The closed functions of a program as it is when they are first asked for."""

    def __init__(self, program: Program):
        self.program, self.effects = program, Effects(program)

    @cached_property
    def closed(self) -> dict[ast.FunctionDef, Callee]:
        """Definition -> the closed function that it defines."""
        return self.program.table("closed", lambda: {callee.node: callee for callee in self._find()})

    @cached_property
    def called(self) -> dict[ast.Call, Callee]:
        """Call -> the closed function that it calls."""
        return {call: callee for callee in self.closed.values() for call in callee.calls}

    def parameter(self, call: ast.Call, value: ast.AST) -> tuple[Scope, str] | None:
        """The variable that an argument of a call becomes; None where that is not plain to see."""
        callee = self.called.get(call)
        if callee is None:
            return None
        for name, given in callee.signature.bound(call).items():
            if given is value and name in self.program.scope(callee.node).bound:
                return self.program.scope(callee.node), str(name)
        return None

    def _find(self) -> Iterator[Callee]:
        for facts in self.program.all_facts():
            for function, (signature, reads) in plain_functions(facts).items():
                calls = self.program.calls(self._uses(facts.node, function))
                if calls and not any(map(hides_arguments, calls)) and all(map(signature.fits, calls)):
                    constructs = function is not facts.node and function.name == "__init__"
                    yield Callee(function, signature, reads, tuple(calls), constructs)

    def _uses(self, definition: ast.stmt, function: ast.FunctionDef) -> Collection[ast.AST]:
        """What is read where a function is called, if it is ever read otherwise; nothing where that cannot be seen."""
        program, name = self.program, function.name
        if isinstance(definition, ast.ClassDef) and name != "__init__":
            own = len(program.members[name]) == 1 and name in program.own
            uses = program.attributes.get(name, []) if own else []
            return uses if not any(getattr(use.value, "id", "") in program.classes for use in uses) else []
        seen = function is definition or not self.effects.constructs_unseen
        name = getattr(definition, "name", "")
        return program.reads.get(name, []) if seen and program.is_constant(name) else []


def plain_functions(facts: Facts) -> dict[ast.FunctionDef, tuple[Signature, dict[str, list[ast.AST]]]]:
    """The function or methods of a statement that are called as they are defined, with their `signature` and `reads`."""
    return facts.table("plain functions", _plain_functions)


def _plain_functions(facts: Facts) -> dict[ast.FunctionDef, tuple[Signature, dict[str, list[ast.AST]]]]:
    node = facts.node
    functions = [node] if isinstance(node, ast.FunctionDef) else []
    methods = methods_of(node) if isinstance(node, ast.ClassDef) else []
    methods = [method for method in methods if binds_self(method, facts.inner_scopes[method])]
    if isinstance(node, ast.ClassDef) and not _is_made_plainly(node):
        methods = [method for method in methods if method.name != "__init__"]
    found = {}
    for function in (*functions, *methods):
        marks = [last_name(mark) for mark in function.decorator_list]
        if all(mark in PLAIN_DECORATORS for mark in marks) and not function.args.posonlyargs:
            signature, scope = Signature.of(function, int(function is not node)), facts.inner_scopes[function]
            once = [name for name in signature.names if scope.is_bound_once(name)]
            found[function] = signature, {name: scope.reads_inside(name) for name in once}
    return found


def _is_made_plainly(node: ast.ClassDef) -> bool:
    """Does calling the class call `__init__` with the same arguments, and nobody else's?"""
    plain = not node.keywords and not node.decorator_list
    return plain and [last_name(base) for base in node.bases] in ([], ["Module"])
