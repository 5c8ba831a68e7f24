"""One call and the function that it calls: what each parameter is given, and which names are free in the caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from pgolf.bundle.names import Node, copy_tree
from pgolf.bundle.specialize.inline_live import live_after
from pgolf.bundle.specialize.inline_order import Facts, Moment, comes_first
from pgolf.bundle.specialize.inline_places import SIMPLE, Place, unsure
from pgolf.bundle.specialize.inline_view import FRAME, View, rename
from pgolf.bundle.specialize.propagate import awkward
from pgolf.bundle.trees import Transformer, walk

BINDING = (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
"""Expressions that do more than give a value."""


@dataclass
class Site:
    """A call in a caller, and the callee; `receiver` is the object whose method is called.

    Attributes:
        arguments: what each parameter is given, in the order of evaluation.
        reads: where each parameter is read.
        gone: parameters whose argument is written wherever they are read.
    """

    known: Facts
    caller: View
    callee: View
    place: Place
    call: ast.Call
    receiver: ast.expr | None
    arguments: dict[str, ast.expr] = field(init=False)
    reads: dict[str, list[ast.expr]] = field(init=False)
    gone: set[str] = field(init=False)

    def look(self) -> bool:
        """Fill in what the call shows; False where it may call something else, or its arguments are not plain to see."""
        called = self.call.func
        if isinstance(called, ast.Name) and self.caller.places[called].resolve(called.id).kind != "module":
            return False
        if isinstance(called, ast.Attribute) and self._is_class(called.value):
            return False
        arguments = self._given()
        # A name of the top level must not mean one of the caller's variables.
        if arguments is None or self.callee.outer & self.caller.bound or self.caller.rebound_within:
            return False
        self.arguments = arguments
        self.reads = {name: self.callee.reads(name) for name in arguments}
        self.gone = {name for name in arguments if self._is_replaced(name)}
        # An object that is not looked at may be None, and a handler may be there for that.
        mine = isinstance(self.receiver, ast.Name) and self.receiver.id == self.caller.method[0]
        return self.receiver is None or mine or bool(next(iter(self.reads.values())))

    def _is_class(self, node: ast.expr) -> bool:
        bound = self.known.found.scope.bound.get(node.id, []) if isinstance(node, ast.Name) else []
        return any(isinstance(item, ast.ClassDef) for item in bound)

    def _given(self) -> dict[str, ast.expr] | None:
        parameters = [item.arg for item in self.callee.function.args.args]
        given = [*([self.receiver] if self.receiver is not None else []), *self.call.args]
        if len(given) > len(parameters) or any(isinstance(item, ast.Starred) for item in given):
            return None
        found = dict(zip(parameters, given, strict=False))
        for keyword in self.call.keywords:
            if keyword.arg is None or keyword.arg in found or keyword.arg not in parameters:
                return None
            found[keyword.arg] = keyword.value
        defaults = self.callee.function.args.defaults
        for name, value in zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True):
            if name not in found:
                found[name] = copy_tree(value)
        nodes = [node for item in found.values() for node in walk(item)]
        odd = any(isinstance(node, BINDING) or getattr(node, "id", "") in FRAME for node in nodes)
        return found if len(found) == len(parameters) and not odd else None

    @property
    def here(self) -> Moment:
        """The moment of the call, in the caller."""
        return Moment(self.known, self.caller.places, self.caller.scope, self.place.bound, *self.caller.method)

    def inside(self, computed: set[str]) -> Moment:
        """The callee's first moment; `computed` are parameters that have a value which is not written in their place."""
        bound = frozenset(self.gone | computed)
        return Moment(self.known, self.callee.places, self.callee.scope, bound, *self.callee.method)

    def _is_replaced(self, name: str) -> bool:
        value = self.arguments[name]
        if len(self.callee.scope.bound[name]) != 1 or not self.here.is_steady(value):
            return False
        literal = not isinstance(value, (ast.Name, ast.Attribute))
        return not (literal and awkward(self.callee.function, value) & set(self.reads[name]))

    # Text in f-strings

    def fits_text(self, value: ast.expr) -> bool:
        """May a result stand where the call does, if that is in the braces of an f-string (rule PG321)?"""
        texts = [node for node in walk(self.place.statement) if isinstance(node, ast.JoinedStr)]
        inside = any(self.call is node for text in texts for node in walk(text))
        return not inside or not any(_has_text(item) for item in (value, *self.arguments.values()))

    def fits_braces(self, root: ast.AST, name: str) -> bool:
        """The same for an argument that goes to the only place where a parameter is read, in `root`."""
        texts = [node for node in walk(root) if isinstance(node, ast.JoinedStr)]
        inside = any(self.reads[name][0] is node for text in texts for node in walk(text))
        return not inside or not _has_text(self.arguments[name])

    # Names

    @cached_property
    def live(self) -> frozenset[str]:
        """Variables of the caller that are read after the statement."""
        return live_after(self.caller.function, self.place.statement)

    @cached_property
    def unsure(self) -> set[str]:
        """Variables of the callee that may have no value where they are read."""
        return unsure(self.callee.function)

    def names(self, kept: dict[str, str], computed: list[str]) -> dict[tuple[bool, str], str]:
        """New names for the callee's variables, where the caller has others of these names.

        Args:
            kept: variables of the callee that become ones of the caller.
            computed: parameters that are assigned one after the other before the body.
        """
        used = set(self.caller.names | self.callee.names)
        substituted = _names_in(self.arguments[name] for name in self.gone)
        found: dict[tuple[bool, str], str] = {(True, name): new for name, new in kept.items()}
        for scope in self.callee.scope.walk():
            own = scope is self.callee.scope
            for name in scope.bound if own or scope.kind == "comprehension" else ():
                if (own, name) in found or (own and name in self.gone):
                    continue
                later = computed[computed.index(name) + 1 :] if own and name in computed else []
                taken = substituted | _names_in(self.arguments[other] for other in later)
                if name in taken or name in kept.values() or (own and self._is_taken(name)):
                    found[own, name] = self._fresh(name, used)
        return found

    def _is_taken(self, name: str) -> bool:
        """Does the caller need a name for something else, from here on or anywhere?"""
        if name in self.caller.outer or name in self.caller.captured or name == self.caller.method[0]:
            return True
        # A variable of the callee that may have no value would find the caller's.
        return name in self.caller.scope.bound and name in self.live | self.needed | self.unsure

    @cached_property
    def needed(self) -> set[str]:
        """Names that the statement itself still uses after the call."""
        statement = self.place.statement
        if not isinstance(statement, (*SIMPLE, ast.Return)):
            return _names_in([statement])
        inside = set(walk(self.call))
        return {
            node.id
            for node in walk(statement)
            if isinstance(node, ast.Name) and node not in inside
            if isinstance(node.ctx, ast.Load) or isinstance(statement, ast.AugAssign)
        }

    def _fresh(self, name: str, used: set[str]) -> str:
        stem, number = re.sub(r"_\d+$", "", name), 2
        while f"{stem}_{number}" in used or self.known.count(f"{stem}_{number}"):
            number += 1
        used.add(f"{stem}_{number}")
        return f"{stem}_{number}"

    def is_free(self, node: ast.Name, name: str) -> bool:
        """Is this a variable of the caller that no closure reads, and no argument but `name`'s?"""
        others = _names_in(value for other, value in self.arguments.items() if other != name)
        own = self.caller.places[node].resolve(node.id) is self.caller.scope
        return own and node.id not in self.caller.captured and node.id not in others

    # Changes

    def write_expression(self) -> bool:
        """Write the value of an expression function in the place of the call, if it comes to the same.

        An argument that is not steady must be read once, in its turn, with nothing before it that could tell.
        """
        value = self.callee.value
        others = [name for name in self.arguments if name not in self.gone]
        if value is None or any(len(self.reads[name]) != 1 for name in others):
            return False
        targets = [self.reads[name][0] for name in others]
        ordered = not targets or comes_first(value, targets, self.inside(set()))
        braces = all(self.fits_braces(value, name) for name in others)
        if not (ordered and braces and self.fits_text(value)) or any(isinstance(n, BINDING) for n in walk(value)):
            return False
        self.gone = set(self.arguments)
        rename(self.callee, self.names({}, []))
        value = put(value, [(self.reads[name], self.arguments[name]) for name in self.arguments])
        put(self.place.statement, [([self.call], value)])
        self.declare()
        return True

    def declare(self) -> None:
        """Let the caller bind what the callee binds of the top level."""
        names = set(self.callee.scope.globals)
        if names:
            body = self.caller.function.body
            old = [item for item in body if isinstance(item, ast.Global)]
            line = ast.Global(names=sorted(names.union(*(item.names for item in old))))
            body[:] = [ast.copy_location(line, self.caller.function), *(item for item in body if item not in old)]


def _names_in(nodes: Iterable[ast.AST]) -> set[str]:
    return {item.id for node in nodes for item in walk(node) if isinstance(item, ast.Name)}


def _has_text(node: ast.AST) -> bool:
    """Does an expression hold something that must not stand in the braces of an f-string?"""
    kinds = (ast.JoinedStr, ast.Lambda)
    return any(
        isinstance(item, kinds) or (isinstance(item, ast.Constant) and isinstance(item.value, (str, bytes)))
        for item in walk(node)
    )


class _Put(Transformer):
    """Replaces nodes by expressions: by these themselves once, then by copies."""

    def __init__(self, values: dict[ast.AST, ast.expr]):
        self.values = values
        self.used: set[ast.expr] = set()

    def visit(self, node: ast.AST) -> ast.AST:
        value = self.values.get(node)
        if value is None:
            return self.generic_visit(node)
        if value in self.used:
            return copy_tree(value)
        self.used.add(value)
        return value


def put(root: Node, changes: Iterable[tuple[list[ast.expr], ast.expr]]) -> Node:
    """Write, for each (nodes, value), the value in the place of each of these nodes."""
    values: dict[ast.AST, ast.expr] = {node: value for nodes, value in changes for node in nodes}
    if not values:
        return root
    changed = _Put(values).visit(root)
    # What the root is replaced by has its place: an expression for an expression.
    return cast(Node, changed)
