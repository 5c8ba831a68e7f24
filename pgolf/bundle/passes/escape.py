"""Escape analysis: every variable, parameter, attribute and result that one object comes to, and what is done with it there.

The object is made by one expression that runs at most once. A *place* that it comes to is followed only if nothing else ever
does: then whatever reads the place is this object. All other mentions are *loose*: nobody can say where they end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from pgolf.bundle.names import FUNCTIONS, Scope
from pgolf.bundle.passes.call_graph import CallGraph
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import pairs
from pgolf.bundle.trees import walk


class Place(NamedTuple):
    """A variable of a scope (None for the top level), an attribute of any object, or what a function returns."""

    kind: str
    owner: Scope | ast.FunctionDef | None
    name: str


class Escape:
    """Where the object of one class goes.

    Args:
        call: what makes it.
        methods: those of its class: their first parameter is the object.
        reserved: a name that only variables and attributes have that hold this object.

    Attributes:
        members: each `x.name` where `x` is the object.
        called: each expression that is the object, where it is called.
        compared: comparisons of the object with None.
        whole: each expression that is the object, where a place is given it, or nothing is done with it.
        loose: each expression that is the object, where it is handed to somebody else.
        stores: place -> the nodes that give it the object.
        nodes: every expression that is the object.
    """

    def __init__(
        self, program: Program, graph: CallGraph, call: ast.Call, methods: Iterable[ast.FunctionDef], reserved: str = ""
    ):
        self.program, self.graph, self.call, self.methods, self.reserved = program, graph, call, list(methods), reserved
        self.refused: set[Place] = set()
        mixed = {Place("", None, "")}
        while mixed:
            self._trace()
            mixed = {place for place in self.stores if not self._holds_nothing_else(place)}
            self.refused |= mixed

    def _holds_nothing_else(self, place: Place) -> bool:
        return place.name == self.reserved != "" or self._bindings(place) <= self.stores[place]

    def _trace(self) -> None:
        self.members: list[ast.Attribute] = []
        self.called: list[ast.expr] = []
        self.compared: list[ast.Compare] = []
        self.whole: list[ast.expr] = []
        self.loose: list[ast.expr] = []
        self.stores: dict[Place, set[ast.AST]] = {}
        self.waiting: list[ast.expr] = [self.call]
        for method in self.methods:
            first = method.args.args[0]
            self._enter(Place("variable", self.program.scope(method), first.arg), first)
        if self.reserved:
            self._enter_reserved()
        self.nodes: set[ast.AST] = set()
        while self.waiting:
            node = self.waiting.pop()
            if node not in self.nodes:
                self.nodes.add(node)
                self._use(node)

    def _enter_reserved(self) -> None:
        """A reserved name is the object wherever it stands."""
        for facts in self.program.all_facts():
            for scope in facts.inner_scopes.values():
                for node in scope.bound.get(self.reserved, []):
                    self._enter(Place("variable", scope, self.reserved), node)
        for node in self.program.attributes.get(self.reserved, []):
            self._enter(Place("attribute", None, self.reserved), node)

    def _use(self, node: ast.expr) -> None:
        """Note what is done with an expression that is the object."""
        above = self.program.parent(node)
        if isinstance(above, ast.Attribute):
            self.members.append(above)
        elif isinstance(above, ast.Call) and above.func is node:
            self.called.append(node)
        elif isinstance(above, ast.Compare) and _asks_for_none(above) and above.left is node:
            self.compared.append(above)
        elif isinstance(above, ast.Expr):
            self.whole.append(node)
        elif self.reserved and isinstance(above, (ast.Call, ast.keyword)):
            self.whole.append(node)
        else:
            place, store = self._destination(node, above)
            entered = place is not None and place not in self.refused and self._is_followed(place)
            (self.whole if entered else self.loose).append(node)
            if entered and place is not None:
                self._enter(place, store)

    def _enter(self, place: Place, store: ast.AST) -> None:
        if place not in self.stores:
            self.stores[place] = set()
            self.waiting += self._reads(place)
        self.stores[place].add(store)

    def _destination(self, node: ast.expr, above: ast.AST) -> tuple[Place | None, ast.AST]:
        """The place that an expression gives its value to, and the node that does it."""
        if isinstance(above, ast.keyword):
            node, above = above.value, self.program.parent(above)
        if isinstance(above, ast.Call):
            found = self.graph.parameter(above, node)
            return (Place("variable", *found) if found is not None else None), above
        if isinstance(above, ast.Return):
            function = self.program.function(above)
            return (Place("result", function, "") if isinstance(function, ast.FunctionDef) else None), above
        if isinstance(above, ast.Tuple):
            above = self.program.parent(above)
        if isinstance(above, ast.stmt):
            targets = [target for target, value in pairs(above) if value is node]
            if len(targets) == 1:
                return self._target(targets[0]), targets[0]
        return None, above

    def _target(self, target: ast.expr) -> Place | None:
        if isinstance(target, ast.Attribute):
            return Place("attribute", None, target.attr)
        if not isinstance(target, ast.Name):
            return None
        scope = self.program.place(target)
        return Place("variable", None if scope.kind == "module" else scope, target.id)

    def _is_followed(self, place: Place) -> bool:
        """Can every read and every store of a place be seen?"""
        if place.name == self.reserved != "":
            return True
        if place.kind == "attribute":
            plain = place.name in self.graph.own and place.name not in self.program.members
            return plain and not self.graph.effects.copies_objects
        if place.kind == "result":
            function = place.owner
            assert isinstance(function, ast.FunctionDef)
            callee = self.graph.closed.get(function)
            by_name = self.program.functions.get(function.name) is function
            return callee is not None and by_name and not self.program.scope(function).yields
        scope = place.owner
        if scope is None:
            return True
        assert isinstance(scope, Scope)
        return scope.kind == "function" and not any(place.name in inner.nonlocals for inner in scope.walk())

    def _reads(self, place: Place) -> list[ast.expr]:
        """Each expression that reads a place."""
        if place.kind == "attribute":
            return [node for node in self.program.attributes[place.name] if isinstance(node.ctx, ast.Load)]
        if isinstance(place.owner, ast.FunctionDef):
            return list(self.graph.closed[place.owner].calls)
        if place.owner is None:
            return list(self.program.reads.get(place.name, []))
        return [
            node
            for scope in place.owner.walk()
            for node in scope.reads.get(place.name, [])
            if scope.resolve(place.name) is place.owner
        ]

    def _bindings(self, place: Place) -> set[ast.AST]:
        """Every node that gives a place something, whatever it is."""
        if place.kind == "attribute":
            return {node for node in self.program.attributes[place.name] if not isinstance(node.ctx, ast.Load)}
        if isinstance(place.owner, ast.FunctionDef):
            returns = [node for node in walk(place.owner) if isinstance(node, ast.Return)]
            own = {node for node in returns if self.program.function(node) is place.owner}
            return own | ({place.owner} if self._may_fall_through(place.owner.body) else set())
        if place.owner is None:
            return set(self.program.writes[place.name])
        found: set[ast.AST] = set()
        for node in place.owner.bound[place.name]:
            callee = self.graph.closed.get(place.owner.node) if isinstance(node, ast.arg) else None  # type: ignore[call-overload]
            found.update([node] if callee is None or node in self.stores[place] else callee.calls)
        return found

    def _may_fall_through(self, body: list[ast.stmt]) -> bool:
        """May a block be left at its end?"""
        last = body[-1]
        if isinstance(last, (ast.Return, ast.Raise)) or (isinstance(last, ast.Expr) and self._exits(last.value)):
            return False
        if isinstance(last, ast.If) and last.orelse:
            return self._may_fall_through(last.body) or self._may_fall_through(last.orelse)
        if isinstance(last, ast.Try) and not last.finalbody:
            blocks = [last.orelse or last.body, *(handler.body for handler in last.handlers)]
            return any(self._may_fall_through(block) for block in blocks)
        return True

    def _exits(self, node: ast.expr) -> bool:
        """Is this `sys.exit(...)`?"""
        function = node.func if isinstance(node, ast.Call) else None
        if not isinstance(function, ast.Attribute) or function.attr != "exit" or not isinstance(function.value, ast.Name):
            return False
        bound = self.program.variable(function.value).bound.get(function.value.id, self.program.writes.get("sys", []))
        return function.value.id == "sys" and [isinstance(node, ast.alias) for node in bound] == [True]


def _asks_for_none(node: ast.Compare) -> bool:
    """Is this `x is None` or `x is not None`?"""
    right = node.comparators[0]
    none = isinstance(right, ast.Constant) and right.value is None
    return len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and none
