"""Aggregates: the objects that scalar replacement can replace, with all that is known of each."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pgolf.bundle.effects import is_chain
from pgolf.bundle.passes.call_graph import CallGraph
from pgolf.bundle.passes.construction import Construction
from pgolf.bundle.passes.escape import Escape, Place
from pgolf.bundle.passes.singletons import Execution, Singleton, singletons
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import pairs
from pgolf.bundle.trees import walk

RESERVED = {"Program": "program"}
"""Rule PG317: the record that the entry makes -> the name that nothing else has."""
TELLING = ("type", "id")
"""With one of these a program could tell an object from a function."""
LISTING = ("globals", "locals", "vars", "eval", "exec", "dir")
"""With one of these it could find a variable that was an attribute."""


@dataclass(frozen=True)
class Aggregate:
    """The only object of a class: where it goes, what becomes of the call that makes it, and the names of its fields."""

    single: Singleton
    escape: Escape
    construction: Construction
    fields: frozenset[str]

    @property
    def touched(self) -> set[ast.AST]:
        """What becomes something else, or goes to another place."""
        moved = walk(self.single.constructor) if self.single.constructor is not None else []
        return {*self.escape.nodes, *self.escape.members, *walk(self.single.call), *moved}


def aggregates(program: Program) -> list[Aggregate]:
    """Objects that can be replaced at once: one that another holds has to wait until that one is gone."""
    if any(name in program.reads for name in LISTING):
        return []
    execution = Execution.of(program)
    candidates = _Candidates(program, execution)
    touched: set[ast.AST] = set()
    chosen: list[Aggregate] = []
    for single in singletons(program, execution.once):
        aggregate = candidates.aggregate(single)
        if touched.isdisjoint(aggregate.touched) and candidates.fits(aggregate):
            touched |= aggregate.touched
            chosen.append(aggregate)
    return chosen


class _Candidates:
    """Says which objects can be replaced."""

    def __init__(self, program: Program, execution: Execution):
        self.program, self.execution, self.graph = program, execution, CallGraph(program)
        self.effects = self.graph.effects

    def aggregate(self, single: Singleton) -> Aggregate:
        """An object with all that is known of it."""
        known = single.fields is not None and not self.effects.copies_objects
        reserved = RESERVED.get(single.definition.name, "") if known else ""
        escape = Escape(self.program, self.graph, single.call, single.binding_self(), reserved)
        stored = [node.attr for node in escape.members if not isinstance(node.ctx, ast.Load)]
        fields = frozenset((*single.constants, *(single.fields or ()), *stored))
        return Aggregate(single, escape, Construction(self.program, self.effects, single), fields)

    def fits(self, aggregate: Aggregate) -> bool:
        """Can variables and functions stand wherever the object or a member of it is mentioned?"""
        escape = aggregate.escape
        return (
            aggregate.construction.is_possible
            and aggregate.fields.isdisjoint(aggregate.single.methods)
            and all(self.is_plain_member(aggregate, node) for node in escape.members)
            and all(map(is_chain, (*escape.called, *(node.left for node in escape.compared))))
            and self.can_be_handed(aggregate)
            and (not aggregate.fields or bool(escape.reserved) or any(map(self.lasts, escape.stores)))
            and (not self.effects.observes_absence or self.is_always_there(aggregate))
        )

    def can_be_handed(self, aggregate: Aggregate) -> bool:
        """Is there a function to call, and to hand on, where the object is called or handed on?"""
        escape, has_call = aggregate.escape, "__call__" in aggregate.single.methods
        return (has_call or not (escape.called or escape.handed)) and (not escape.loose or self.is_function(aggregate))

    def is_plain_member(self, aggregate: Aggregate, node: ast.Attribute) -> bool:
        """Is `x.name` a method that is read or an attribute that is read or stored, where a variable may stand for it?"""
        single, above = aggregate.single, self.program.parent(node)
        if not is_chain(node.value) or node.attr == "__init__":
            return False
        if isinstance(node.ctx, ast.Load):
            if node.attr in single.methods:
                return not isinstance(above, (ast.pattern, ast.Attribute))
            return node.attr in aggregate.fields and not isinstance(above, ast.pattern)
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        kind = self.program.place(root).kind
        stored = isinstance(node.ctx, ast.Store) and not isinstance(above, ast.AnnAssign)
        return stored and kind in ("module", "function") and single.fields is None

    def is_function(self, aggregate: Aggregate) -> bool:
        """Can whoever gets the object only call it? Nobody but those who were followed asks for any other member."""
        members = ({*aggregate.single.methods} | aggregate.fields) - {"__init__", "__call__"}
        asked = {node for name in members for node in self.program.attributes.get(name, [])}
        return (
            "__call__" in aggregate.single.methods
            and asked.issubset(aggregate.escape.members)
            and not any(map(self.program.visibility.read_from_outside, members))
            and not any(name in self.program.reads for name in TELLING)
            and not (self.effects.looks_up_by_text or self.effects.copies_objects)
        )

    def lasts(self, place: Place) -> bool:
        """Does a place hold the object until the program ends, so that nothing lives longer than before?"""
        return place.kind == "variable" and (place.scope is None or place.scope.node in self.execution.lasting)

    def is_always_there(self, aggregate: Aggregate) -> bool:
        """Are the object and its attributes there whenever they are asked for, so that no handler can see them missing?"""
        single = aggregate.single
        made = {*single.constants, *(single.fields or ())}
        for line in single.constructor.body if single.constructor is not None else []:
            made |= {target.attr for target, _ in pairs(line) if isinstance(target, ast.Attribute)}
        return aggregate.fields <= made and all(map(self.is_bound_first, aggregate.escape.stores))

    def is_bound_first(self, place: Place) -> bool:
        """Is a place a parameter, or a variable that a line of its block binds before others read it?"""
        if place.kind != "variable":
            return False
        bound = self.program.writes[place.name] if place.scope is None else place.scope.bound[place.name]
        if len(bound) > 1 or isinstance(bound[0], ast.arg):
            return len(bound) == 1
        line = self.program.parent(bound[0])
        if place.scope is None:
            return line in self.program.body
        body = place.scope.node.body if isinstance(place.scope.node, ast.FunctionDef) else []
        if line not in body:
            return False
        before = [node for other in body[: body.index(line)] for node in walk(other)]  # type: ignore[arg-type]
        return not any(isinstance(node, ast.Name) and node.id == place.name for node in before)
