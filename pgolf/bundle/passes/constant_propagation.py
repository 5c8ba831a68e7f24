"""Interprocedural constant propagation: what always holds one literal is written as it, and what it decides is folded.

A place is a variable of the top level, a local variable, a parameter, an attribute, or what a function returns. It is constant
if everything that is ever stored in it is the same literal: for a parameter, what each call gives or leaves to the default; all
calls must be in plain sight (`call_graph`). A function that the program hands to somebody else, and an attribute that may be a
library's, may hold anything. A tuple of literals and names of the top level that nothing binds again is written where one place
goes over it.

    def mean(x, axis): return x.mean(axis) ... mean(a, 0); mean(b, 0)      ->      def mean(x, axis): return x.mean(0)

What then has no reader is left to dead argument and dead store elimination.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any

from pgolf.bundle.effects import can_hold, is_chain, is_in_kernel, is_in_text
from pgolf.bundle.facts import Facts
from pgolf.bundle.literals import UNKNOWN, value_of
from pgolf.bundle.names import copy_tree
from pgolf.bundle.passes.call_graph import Callee, CallGraph
from pgolf.bundle.passes.constant_folding import Folder
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import is_idle_line, pairs

LONGEST = 24
"""A literal that is printed with more characters than this is written at one place only."""


def constant_propagation(program: Program) -> None:
    """Write every constant where it is read, once. What this shows to be constant is left to the next run."""
    run = _Propagation(program)
    run.find()
    run.write()


class _Propagation:
    """The constants of a program, and the places that read them.

    Attributes:
        values: expression -> the literal that it always gives.
    """

    def __init__(self, program: Program):
        self.program, self.graph = program, CallGraph(program)
        self.effects = self.graph.effects
        self.values: dict[ast.AST, ast.expr] = {}

    def find(self) -> None:
        """Go through all places."""
        program = self.program
        for name, bound in program.writes.items():
            stored = self.assigned(bound)
            always = any(program.statement(node) is not node and program.function(node) is None for node in bound)
            if always or not self.effects.observes_absence:
                self.note(stored, program.reads.get(name, []))
            if len(bound) == 1 and len(stored) == 1 and stored[0] is not None and name not in program.global_names:
                self.note_names(stored[0], program.reads.get(name, []))
        for callee in self.graph.closed.values():
            self.find_parameters(callee)
            self.find_result(callee)
        for facts in program.all_facts() if not self.effects.observes_absence else ():
            for value, reads in facts.table("bound once", _bound_once):
                self.note([value], reads)
        for name in {*program.attributes}.intersection(self.program.own):
            self.find_attribute(name)

    def find_parameters(self, callee: Callee) -> None:
        """Parameters for which all calls give one literal; what a call of the function by itself hands on is no news."""
        signature = callee.signature
        for name, reads in callee.reads.items():
            given = (signature.given(call, name) or signature.defaults.get(name) for call in callee.calls)
            self.note((value for value in given if value not in reads), reads)

    def find_result(self, callee: Callee) -> None:
        """Calls of a function that only returns a literal."""
        lines = [line for line in callee.node.body if not is_idle_line(line)]
        if len(lines) == 1 and isinstance(lines[0], ast.Return) and not callee.constructs:
            value = lines[0].value or ast.Constant(value=None)
            for call in callee.calls:
                given = callee.signature.bound(call).values()
                there = isinstance(call.func, ast.Name) or (is_chain(call.func) and not self.effects.observes_absence)
                if there and all(self.effects.is_droppable(one) for one in given):
                    self.note([value], [call])

    def find_attribute(self, name: str) -> None:
        """An attribute of the program's own, whatever object has it."""
        uses = self.program.attributes[name]
        stored = self.assigned([node for node in uses if not isinstance(node.ctx, ast.Load)])
        for line in self.program.members.get(name, []):
            owner = self.program.parent(line)
            plain = isinstance(owner, ast.ClassDef) and not owner.bases and not owner.keywords
            stored.append(line.value if plain and isinstance(line, ast.Assign) and len(line.targets) == 1 else None)
        if not self.effects.observes_absence:
            self.note(stored, [node for node in uses if isinstance(node.ctx, ast.Load) and is_chain(node.value)])

    def assigned(self, bound: Collection[ast.AST]) -> list[ast.expr | None]:
        """What is given to these targets; None where that is not plain to see."""
        found: list[ast.expr | None] = []
        for target in bound:
            line: ast.AST = self.program.parent(target) if isinstance(target, ast.expr) else target
            line = self.program.parent(line) if isinstance(line, ast.Tuple) else line
            given = [value for one, value in (pairs(line) if isinstance(line, ast.stmt) else []) if one is target]
            found.append(given[0] if given else None)
        return found

    def note(self, stored: Iterable[ast.expr | None], reads: Collection[Any]) -> None:
        """All these places read what is only ever given these values."""
        rest = iter(stored)
        first = next(rest, None)
        if first is None or value_of(first) is UNKNOWN:
            return
        text = ast.dump(first)
        same = all(value is not None and ast.dump(value) == text for value in rest)
        if same and (len(reads) == 1 or len(ast.unparse(first)) <= LONGEST):
            self.values.update((node, first) for node in reads if can_hold(self.program, node, first))

    def note_names(self, value: ast.expr, reads: list[ast.Name]) -> None:
        """These places read a variable that holds a thing of the top level, or a tuple of such things to go over."""
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        names = [part.id for part in parts if isinstance(part, ast.Name)]
        constant = all(self.program.is_constant(name) and name not in self.program.bound_inside for name in names)
        known = all(isinstance(part, ast.Name) or value_of(part) is not UNKNOWN for part in parts)
        if not names or not constant or not known:
            return
        if not isinstance(value, ast.Tuple):
            self.values.update((node, value) for node in reads if not is_in_kernel(self.program, node))
        elif len(reads) == 1 and self.is_gone_over(reads[0]):
            self.values[reads[0]] = value

    def is_gone_over(self, node: ast.expr) -> bool:
        """Does nobody see which tuple this is?"""
        above = self.program.parent(node)
        if isinstance(above, ast.Call):
            joined = isinstance(above.func, ast.Attribute) and isinstance(above.func.value, ast.Constant)
            return joined and last_name(above.func) == "join" and not is_in_text(self.program, node)
        return (
            isinstance(above, (ast.For, ast.comprehension))
            and above.iter is node
            and not is_in_text(self.program, node)
        )

    def write(self) -> None:
        """Put the literals in, outermost first, and fold what they decide."""
        gone = {node for node in self.values if not self.values.keys().isdisjoint(self.program.ancestors(node))}
        changed = {self.program.statement(node): None for node in self.values}
        for node in [node for node in self.values if node not in gone]:
            self.program.put(node, copy_tree(self.values[node]))
        for statement in changed:
            new = Folder().visit(statement)
            if new is statement:
                self.program.changed(statement)
            else:
                self.program.replace(statement, new if isinstance(new, list) else [new])


def _bound_once(facts: Facts) -> list[tuple[ast.expr, list[ast.AST]]]:
    """Literals that one line of a function itself gives a local variable, and the places that read it, which are below."""
    found = []
    for scope in facts.inner_scopes.values():
        body = scope.node.body if isinstance(scope.node, ast.FunctionDef) else []
        for target, value in chain.from_iterable(map(pairs, body)):
            if isinstance(target, ast.Name) and value_of(value) is not UNKNOWN and scope.is_bound_once(target.id):
                found.append((value, scope.reads_inside(target.id)))
    return found


CONSTANT_PROPAGATION = Pass(
    "constant-propagation",
    constant_propagation,
    requires="Attributes have the names that the text shows, and functions in plain sight are called by nobody else.",
    ensures="Places that always held one literal are read no more, where a literal may stand.",
)
