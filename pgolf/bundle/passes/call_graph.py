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
from pgolf.bundle.names import Scope
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Signature, binds_self, hides_arguments, methods_of

PLAIN_DECORATORS = ("no_grad", "inference_mode")
"""Decorators that call the function with what they are given and return what it returns."""


@dataclass(frozen=True)
class Callee:
    """A closed function.

    Attributes:
        node: its definition.
        signature: the parameters that its calls give.
        calls: all of them.
        constructs: whether it is a constructor, so that its calls give an object.
    """

    node: ast.FunctionDef
    signature: Signature
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
        program = self.program
        again = self.effects.constructs_unseen
        for node in program.body:
            if isinstance(node, ast.FunctionDef) and program.is_constant(node.name):
                yield from self._closed(node, 0, program.reads.get(node.name, []))
            elif isinstance(node, ast.ClassDef):
                for method in methods_of(node):
                    if method.name != "__init__":
                        yield from self._method(method)
                    elif not again and _is_made_plainly(node) and program.is_constant(node.name) and binds_self(method):
                        yield from self._closed(method, 1, program.reads.get(node.name, []), constructs=True)

    def _method(self, method: ast.FunctionDef) -> Iterator[Callee]:
        if len(self.program.members[method.name]) == 1 and method.name in self.program.own and binds_self(method):
            uses = self.program.attributes.get(method.name, [])
            if not any(getattr(use.value, "id", "") in self.program.classes for use in uses):
                yield from self._closed(method, 1, uses)

    def _closed(
        self, node: ast.FunctionDef, skipped: int, uses: Collection[ast.AST], constructs: bool = False
    ) -> Iterator[Callee]:
        calls = self.program.calls(uses)
        plain = all(last_name(mark) in PLAIN_DECORATORS for mark in node.decorator_list) and not node.args.posonlyargs
        if plain and calls and not any(map(hides_arguments, calls)):
            signature = Signature.of(node, skipped)
            if all(map(signature.fits, calls)):
                yield Callee(node, signature, tuple(calls), constructs)


def _is_made_plainly(node: ast.ClassDef) -> bool:
    """Does calling the class call `__init__` with the same arguments, and nobody else's?"""
    plain = not node.keywords and not node.decorator_list
    return plain and [last_name(base) for base in node.bases] in ([], ["Module"])
