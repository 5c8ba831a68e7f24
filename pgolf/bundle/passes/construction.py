"""What becomes of the call that makes the only object of a class: stores in its place, or the call of a function."""

from __future__ import annotations

import ast

from pgolf.bundle.effects import Effects
from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.names import copy_tree
from pgolf.bundle.passes.singletons import Singleton
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import Signature, assignment, hides_arguments, is_idle_line, pairs
from pgolf.bundle.trees import walk


class Construction:
    """The call that makes an object, and the statement that it is in.

    Attributes:
        line: the statement.
        at_top: whether it is one of the top level.
        is_idle: whether the call does nothing but store what is the same at any time, so that the moment does not matter.
        is_inlined: whether the constructor's stores are written out.
    """

    def __init__(self, program: Program, effects: Effects, single: Singleton):
        self.program, self.single, self.call = program, single, single.call
        self.scope = program.scope(single.constructor or single.definition)
        self.line = next(node for node in (self.call, *program.ancestors(self.call)) if isinstance(node, ast.stmt))
        self.at_top = self.line in program.body
        names = [node for node in walk(self.call) if isinstance(node, ast.Name)]
        is_of_top = all(program.variable(name).kind == "module" for name in names)
        self.is_idle = is_of_top and effects.only_makes(self.call)
        assigned: list[ast.AST | None] = [value for _, value in pairs(self.line)]
        is_whole = (assigned or [getattr(self.line, "value", None)]) == [self.call]
        # A call that gives too little is an error that the program makes when it runs.
        self._is_plain = not hides_arguments(self.call) and self._signature().takes(self.call)
        self.is_inlined = self._is_plain and (is_whole or self.is_idle) and self._fits()

    @property
    def is_possible(self) -> bool:
        """Can the object be made without its class? Nothing is called at the top level."""
        is_function = self.single.constructor is not None and not self.at_top
        return self._is_plain and (self.is_inlined or is_function)

    def _signature(self) -> Signature:
        """What the call may give."""
        if self.single.constructor is not None:
            return Signature.of(self.single.constructor, 1)
        fields = tuple(self.single.fields or ())
        return Signature(fields, fields, self.single.constants)

    def _fits(self) -> bool:
        """Can the constructor's body stand in the place of the call: stores, of what may be evaluated there?"""
        made, signature = self.single.constructor, self._signature()
        given = signature.bound(self.call)
        if made is None:
            left = [self.single.constants.get(name) for name in signature.names if name not in given]
            return all(value is not None and value_of(value) is not UNKNOWN for value in left)
        lines = [pairs(line) for line in body_of(made)]
        stored = [pair for line in lines for pair in line]
        values = [value for _, value in stored]
        return (
            all(lines)
            and all(isinstance(target, ast.Attribute) for target, _ in stored)
            and not (made.decorator_list or any(signature.more))
            and all(map(self._may_be_repeated, given.values()))
            and all(self._may_be_written(name, values) for name in signature.names)
        )

    def _may_be_repeated(self, value: ast.expr) -> bool:
        """Is an argument the same wherever in the constructor it is evaluated?"""
        if not isinstance(value, ast.Name):
            return self.is_idle or value_of(value) is not UNKNOWN
        scope = self.program.variable(value)
        return self.program.is_constant(value.id) if scope.kind == "module" else scope.is_bound_once(value.id)

    def _may_be_written(self, name: str, stored: list[ast.expr]) -> bool:
        """Can what the call gives for a parameter stand where it is read: a name, or what is stored as it is, once?"""
        scope, signature = self.scope, self._signature()
        value = signature.given(self.call, name) or signature.defaults[name]
        reads = scope.reads_inside(name)
        is_literal = value_of(value) is not UNKNOWN
        direct = all(node in stored for node in reads) and (is_literal or len(reads) < 2)
        here = all(node in scope.reads.get(name, ()) for node in reads)
        is_name = isinstance(value, ast.Name) and signature.given(self.call, name) is value
        left = signature.given(self.call, name) is None and not is_literal
        return scope.is_bound_once(name) and here and (direct or is_name) and not left

    def stores(self, names: dict[str, str]) -> list[ast.stmt]:
        """The lines that give the object's variables their values. The constructor must have these names by now."""
        made, signature = self.single.constructor, self._signature()
        given = signature.bound(self.call)
        if made is None:
            left = {name: copy_tree(signature.defaults[name]) for name in signature.names if name not in given}
            return [assign(names[str(name)], value) for name, value in (given | left).items()]
        for name in signature.names:
            for node in self.scope.reads.get(name, ()):
                self.program.put(node, copy_tree(given.get(name, signature.defaults.get(name, node))))
        return [one for line in body_of(made) for one in _apart(line, set(names.values()))]


def _apart(line: ast.stmt, names: set[str]) -> list[ast.stmt]:
    """One line for each variable of an assignment, where none of its values reads one of them."""
    stored = pairs(line)
    words = {node.id for node in walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return [assignment([pair], line) for pair in stored] if words.isdisjoint(names) else [line]


def body_of(function: ast.FunctionDef) -> list[ast.stmt]:
    """The lines of a function that do something."""
    return [line for line in function.body if not is_idle_line(line)]


def assign(name: str, value: ast.expr) -> ast.stmt:
    """`name = value`."""
    line = ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)
    return ast.copy_location(line, value)
