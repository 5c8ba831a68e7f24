"""What `prune` sees of a program: its nodes by their class, and which expressions may go unevaluated."""

from __future__ import annotations

import ast

from pgolf.bundle.minify.legality import Survey
from pgolf.bundle.names import FUNCTIONS, Scope
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.trees import Node, by_class, walk

OF_MODULES = ("training",)
"""Attributes that every module has, which the program reads."""


class Look:
    """The program as it is.

    Attributes:
        kinds: its nodes by their class.
        alive: all its nodes.
        decorated: functions and methods with decorators, properties among them.
    """

    def __init__(self, tree: ast.Module, found: Survey):
        self.tree, self.found = tree, found
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.again()
        self.decorated = {item.name for item in self.of_kind(ast.FunctionDef) if item.decorator_list}

    def again(self) -> None:
        """Look at what has become of it; the survey stays as it is."""
        nodes = walk(self.tree)
        self.alive = set(nodes)
        self.kinds = by_class(nodes)

    def of_kind(self, kind: type[Node]) -> list[Node]:
        """The program's nodes of one class."""
        return self.kinds.get(kind, [])

    def is_plain(self, node: ast.expr) -> bool:
        """May an expression go unevaluated? Not an attribute that a library's object may lack, or a property: a call."""
        while isinstance(node, ast.Attribute):
            if (node.attr not in self.found.own and node.attr not in OF_MODULES) or node.attr in self.decorated:
                return False
            node = node.value
        if not isinstance(node, ast.Name):
            return value_of(node) is not UNKNOWN
        place = self.found.places.get(node)
        if place is None:
            return False
        owner: Scope = place.resolve(node.id)
        bound = owner.bound.get(node.id, [])
        if owner.kind == "module":
            return len(bound) == 1
        return isinstance(owner.node, FUNCTIONS) and len(bound) == 1 and isinstance(bound[0], ast.arg)
