"""Where a literal may stand, and which expressions may go unevaluated."""

from __future__ import annotations

import ast
from typing import Any

from pgolf.bundle.names import COMPREHENSIONS, FUNCTIONS
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.constants_flow import Flow
from pgolf.bundle.specialize.fold import SINGLETONS, UNKNOWN, value_of
from pgolf.bundle.specialize.prune_look import OF_MODULES
from pgolf.bundle.trees import parents, walk

CONSUMERS = ("tuple", "list", "sum", "any", "all", "sorted", "set", "dict", "frozenset")


class Places:
    """Looks at the whole program once."""

    def __init__(self, tree: ast.Module, flow: Flow):
        self.flow = flow
        self.tree = tree
        self.parents = parents(tree)
        self.compared: set[ast.AST] = set()
        for compare in flow.of_kind(ast.Compare):
            if any(isinstance(op, (ast.Is, ast.IsNot)) for op in compare.ops):
                self.compared.update([compare.left, *compare.comparators])
        self.deleted = {node.id for node in flow.of_kind(ast.Name) if node.ctx.__class__ is ast.Del}
        self.deleted.update(node.name for node in flow.of_kind(ast.ExceptHandler) if node.name)
        self.looked_into: set[ast.AST] = {node.func for node in flow.of_kind(ast.Call)}
        self.looked_into.update(node.value for node in flow.of_kind(ast.Attribute))
        self.looked_into.update(node.value for node in flow.of_kind(ast.Subscript))
        self.in_text = {item for node in flow.of_kind(ast.JoinedStr) for item in walk(node)}
        self.decorated = {node.name for node in flow.of_kind(ast.FunctionDef) if node.decorator_list}
        """Functions and methods with decorators, properties among them."""
        self.constructed = {name for node in flow.classes.values() for item in node.body for name in _constructed(item)}
        """Attributes that objects of a class have from the start."""

    def unit(self, node: ast.AST) -> ast.AST:
        """The top-level statement or method that a node is in."""
        parent = self.parents[node]
        while parent is not self.tree and not (isinstance(parent, ast.ClassDef) and self.parents[parent] is self.tree):
            node, parent = parent, self.parents[parent]
        return node

    def is_writable(self, unit: ast.AST) -> bool:
        """A function that no compiler of its own reads."""
        return isinstance(unit, ast.FunctionDef) and all(last_name(item) != "jit" for item in unit.decorator_list)

    def fits(self, node: ast.AST, value: Any) -> bool:
        """Would a literal mean the same there, and can it be written?"""
        if node in self.looked_into:
            return False
        if node in self.compared and not any(value is single for single in SINGLETONS):
            # Python warns there. Elsewhere equal literals of one file are one object, wherever they stand.
            return False
        if node in self.in_text and type(value) not in (bool, int, float):
            parent = self.parents[node]
            return (
                isinstance(parent, ast.FormattedValue)
                and parent.format_spec is None
                and not isinstance(value, (bytes, tuple))
            )
        return True

    def is_global(self, node: ast.Name) -> bool:
        return self.flow.places[node].resolve(node.id) is self.flow.scope

    def is_builtin(self, node: ast.Name) -> bool:
        return node in self.flow.places and node.id not in self.flow.places[node].resolve(node.id).bound

    def is_consumed(self, node: ast.GeneratorExp) -> bool:
        """Is a generator handed to a builtin that takes any iterable to its end?"""
        call = self.parents.get(node)
        return (
            isinstance(call, ast.Call)
            and call.args == [node]
            and isinstance(call.func, ast.Name)
            and call.func.id in CONSUMERS
            and self.is_builtin(call.func)
        )

    def is_plain(self, node: ast.expr) -> bool:
        """May an expression go unevaluated? Literals, variables that are bound, and attributes of these.

        Not an attribute that objects of libraries may lack, or a property: that is a call.
        """
        while isinstance(node, ast.Attribute):
            if node.attr in self.decorated or node.attr not in (*self.flow.closed, *OF_MODULES):
                return False
            node = node.value
        if isinstance(node, ast.Name):
            return self.is_bound(node)
        if isinstance(node, ast.Dict):
            return all(key is not None and self.is_plain(key) for key in node.keys) and all(
                map(self.is_plain, node.values)
            )
        if isinstance(node, (ast.Tuple, ast.List)):
            return all(self.is_plain(item) for item in node.elts)
        return value_of(node) is not UNKNOWN

    def is_bound(self, node: ast.Name) -> bool:
        """Does a variable certainly have a value where it is read?"""
        if node not in self.flow.places:
            return False
        scope = self.flow.places[node].resolve(node.id)
        bound = scope.bound.get(node.id, [])
        if scope is self.flow.scope:
            return len(bound) == 1
        if node.id in self.deleted:
            return False
        if any(isinstance(item, ast.arg) for item in bound) or isinstance(scope.node, COMPREHENSIONS):
            return True
        return self._is_assigned_before(node, scope.node)

    def _is_assigned_before(self, node: ast.Name, function: ast.AST) -> bool:
        """Does a statement above, or a loop around, give the variable a value?"""
        child: ast.AST = node
        while child is not function:
            parent = self.parents.get(child)
            if parent is None or (isinstance(parent, FUNCTIONS) and parent is not function):
                return False
            if isinstance(parent, ast.For) and child in parent.body and _assigns(parent.target, node.id):
                return True
            for block in ("body", "orelse", "finalbody"):
                lines = getattr(parent, block, None)
                above = lines[: lines.index(child)] if isinstance(lines, list) and child in lines else []
                if any(_gives(line, node.id) for line in above):
                    return True
            child = parent
        return False


def _gives(node: ast.stmt, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(_assigns(target, name) for target in node.targets)
    return isinstance(node, ast.AnnAssign) and node.value is not None and _assigns(node.target, name)


def _assigns(target: ast.expr, name: str) -> bool:
    return any(
        isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store) and item.id == name for item in walk(target)
    )


def _constructed(node: ast.stmt) -> set[str]:
    """What a line of a class gives every object; not what a branch or another method than the constructor may."""
    if not isinstance(node, ast.FunctionDef):
        return {item.id for item in walk(node) if isinstance(item, ast.Name)}
    lines = node.body if node.name == "__init__" else []
    stores = [item for line in lines if isinstance(line, (ast.Assign, ast.AnnAssign)) for item in walk(line)]
    return {item.attr for item in stores if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store)}
