"""Escape analysis: every variable, parameter, attribute and result that one object comes to, and what is done with it there.

The object is made by one expression that runs at most once. A *place* that it comes to is followed only if nothing else ever
does: then whatever reads the place is this object. All other mentions are *loose*: nobody can say where they end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from pgolf.bundle.names import Scope
from pgolf.bundle.passes.call_graph import CallGraph
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import pairs
from pgolf.bundle.trees import walk


class Place(NamedTuple):
    """A variable, an attribute of any object, or what a function returns.

    Attributes:
        kind: "variable", "attribute" or "result".
        name: that of the variable, attribute or function.
        scope: whose variable it is; None for the top level.
        function: the one that returns.
    """

    kind: str
    name: str
    scope: Scope | None = None
    function: ast.FunctionDef | None = None


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
        handed: each expression that is the object, where it is handed to somebody who only calls it.
        loose: each expression that is the object, where it is handed to anybody else.
        stores: place -> the nodes that give it the object.
        nodes: every expression that is the object.
    """

    def __init__(
        self, program: Program, graph: CallGraph, call: ast.Call, methods: Iterable[ast.FunctionDef], reserved: str = ""
    ):
        self.program, self.graph, self.call, self.methods, self.reserved = program, graph, call, list(methods), reserved
        self.refused: set[Place] = set()
        mixed = self._mixed()
        while mixed:
            self.refused |= mixed
            mixed = self._mixed()

    def _mixed(self) -> set[Place]:
        """Places that may hold something else as well, so that they may not be followed."""
        self._trace()
        followed = [place for place in self.stores if place.name != self.reserved or not self.reserved]
        return {place for place in followed if not self._bindings(place) <= self.stores[place]}

    def _trace(self) -> None:
        self.members: list[ast.Attribute] = []
        self.called: list[ast.expr] = []
        self.compared: list[ast.Compare] = []
        self.whole: list[ast.expr] = []
        self.handed: list[ast.expr] = []
        self.loose: list[ast.expr] = []
        self.stores: dict[Place, set[ast.AST]] = {}
        self.waiting: list[ast.expr] = [self.call]
        for method in self.methods:
            first = method.args.args[0]
            self._enter(Place("variable", first.arg, self.program.scope(method)), first)
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
                    self._enter(Place("variable", self.reserved, scope), node)
        for node in self.program.attributes.get(self.reserved, []):
            self._enter(Place("attribute", self.reserved), node)

    def _use(self, node: ast.expr) -> None:
        """Note what is done with an expression that is the object."""
        above = self.program.parent(node)
        if isinstance(above, ast.Attribute):
            self.members.append(above)
        elif isinstance(above, ast.Call) and above.func is node:
            self.called.append(node)
        elif isinstance(above, ast.Compare) and _asks_for_none(above) and above.left is node:
            self.compared.append(above)
        elif self._is_gone_over(node, above):
            self.handed.append(node)
        elif self._ends_here(above) or self._goes_on(node, above):
            self.whole.append(node)
        else:
            self.loose.append(node)

    def _ends_here(self, above: ast.AST) -> bool:
        """Is nothing done with the object, or is it handed to a parameter of the reserved name?"""
        return isinstance(above, ast.Expr) or (bool(self.reserved) and isinstance(above, (ast.Call, ast.keyword)))

    def _goes_on(self, node: ast.expr, above: ast.AST) -> bool:
        """Does the object come to a place that can be followed? It is, from now on."""
        place, store = self._destination(node, above)
        if place is None or place in self.refused or not self._is_followed(place):
            return False
        self._enter(place, store)
        return True

    def _is_gone_over(self, node: ast.expr, above: ast.AST) -> bool:
        """Is the object one of a tuple that a loop goes over, which only calls its variable?"""
        loop = self.program.parent(above) if isinstance(above, (ast.Tuple, ast.List)) else None
        if not isinstance(loop, ast.For) or loop.iter is not above or not isinstance(loop.target, ast.Name):
            return False
        scope = self.program.place(loop.target)
        reads = scope.reads_inside(loop.target.id) if scope.is_bound_once(loop.target.id) else [above]
        return scope.kind == "function" and all(self.program.call_of(read) is not None for read in reads)

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
            return (Place("variable", found[1], found[0]) if found is not None else None), above
        if isinstance(above, ast.Return):
            function = self.program.function(above)
            if isinstance(function, ast.FunctionDef):
                return Place("result", function.name, function=function), above
        if isinstance(above, ast.Tuple):
            above = self.program.parent(above)
        if isinstance(above, ast.stmt):
            targets = [target for target, value in pairs(above) if value is node]
            if len(targets) == 1:
                return self._target(targets[0]), targets[0]
        return None, above

    def _target(self, target: ast.expr) -> Place | None:
        if isinstance(target, ast.Attribute):
            return Place("attribute", target.attr)
        if not isinstance(target, ast.Name):
            return None
        scope = self.program.place(target)
        return Place("variable", target.id, None if scope.kind == "module" else scope)

    def _is_followed(self, place: Place) -> bool:
        """Can every read and every store of a place be seen?"""
        program, graph = self.program, self.graph
        if self.reserved and place.name == self.reserved:
            return True
        if place.kind == "attribute":
            own = place.name in program.own and place.name not in program.members
            return own and not graph.effects.copies_objects
        if place.function is not None:
            by_name = program.functions.get(place.name) is place.function
            return by_name and place.function in graph.closed and not program.scope(place.function).yields
        scope = place.scope
        nonlocal_names = {name for inner in scope.walk() for name in inner.nonlocals} if scope is not None else ()
        return scope is None or (scope.kind == "function" and place.name not in nonlocal_names)

    def _reads(self, place: Place) -> list[ast.expr]:
        """Each expression that reads a place."""
        if place.kind == "attribute":
            return [node for node in self.program.attributes[place.name] if isinstance(node.ctx, ast.Load)]
        if place.function is not None:
            return list(self.graph.closed[place.function].calls)
        if place.scope is None:
            return list(self.program.reads.get(place.name, []))
        return [node for node in place.scope.reads_inside(place.name) if isinstance(node, ast.Name)]

    def _bindings(self, place: Place) -> set[ast.AST]:
        """Every node that gives a place something, whatever it is."""
        if place.kind == "attribute":
            return {node for node in self.program.attributes[place.name] if not isinstance(node.ctx, ast.Load)}
        if place.function is not None:
            returns = [node for node in walk(place.function) if isinstance(node, ast.Return)]
            own = {node for node in returns if self.program.function(node) is place.function}
            return own | ({place.function} if self._may_fall_through(place.function.body) else set())
        if place.scope is None:
            return set(self.program.writes[place.name])
        found: set[ast.AST] = set()
        function = place.scope.node
        callee = self.graph.closed.get(function) if isinstance(function, ast.FunctionDef) else None
        for node in place.scope.bound[place.name]:
            # What calls give a parameter, they give; but `self` is given by looking the method up.
            given = isinstance(node, ast.arg) and callee is not None and node not in self.stores[place]
            found.update(callee.calls if given and callee is not None else [node])
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
        function = node.func if isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.exit" else None
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            return False
        bound = self.program.variable(function.value).bound.get("sys", self.program.writes.get("sys", []))
        return [isinstance(node, ast.alias) for node in bound] == [True]


def _asks_for_none(node: ast.Compare) -> bool:
    """Is this `x is None` or `x is not None`?"""
    right = node.comparators[0]
    none = isinstance(right, ast.Constant) and right.value is None
    return len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and none
