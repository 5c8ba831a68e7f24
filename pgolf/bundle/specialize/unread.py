"""Unread: variables that nothing reads are no longer assigned.

`x = y` goes where `y` is a literal, and `x = f()` becomes `f()` where `f` is a function of the program that returns nothing
but None. Any other result stays where it is: it may be an object that does something once nobody holds it any more. So does
the `x = None` after it, which lets go of what may be many tensors.
"""

from __future__ import annotations

import ast

from pgolf.bundle.names import Scope, scopes
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.specialize.propagate import assignment, pairs
from pgolf.bundle.trees import Transformer, walk


def drop_unread(tree: ast.Module) -> bool:
    """Change the whole program in place."""
    dropper = _Drop(tree)
    dropper.visit(tree)
    return dropper.changed


class _Drop(Transformer):
    """Goes through every function."""

    def __init__(self, tree: ast.Module):
        self.changed = False
        self.scope, self.places = scopes(tree)
        self.used: set[tuple[Scope, str]] = set()
        for inner in self.scope.walk():
            self.used.update((inner.resolve(name), name) for name in (*inner.reads, *inner.nonlocals))
        self.given: dict[tuple[Scope, str], list[ast.expr]] = {}
        for node in walk(tree):
            if isinstance(node, ast.Assign):
                self._note(node)
            # `del x` and `x += 1` need a value that is there.
            target = node.target if isinstance(node, ast.AugAssign) else node
            if isinstance(target, ast.Name) and (target is not node or isinstance(target.ctx, ast.Del)):
                self.used.add((self.places[target].resolve(target.id), target.id))
        self.silent = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and _is_silent(node)} - {
            inner.node.name for inner in self.scope.children if inner.yields and isinstance(inner.node, ast.FunctionDef)
        }

    def _note(self, node: ast.Assign) -> None:
        """What an assignment gives to variables."""
        for target, value in pairs(node) if len(node.targets) == 1 else []:
            if isinstance(target, ast.Name):
                self.given.setdefault((self.places[target].resolve(target.id), target.id), []).append(value)

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        found = pairs(node) if len(node.targets) == 1 else []
        dropped = [pair for pair in found if self.is_unread(pair[0]) and self.is_nothing(pair[1])]
        if not dropped:
            return node
        kept = [pair for pair in found if pair not in dropped]
        calls = [value for _, value in dropped if value_of(value) is UNKNOWN]
        # Only what comes first may move to the front.
        late = len(calls) > 1 or any(value_of(value) is UNKNOWN for _, value in kept)
        if calls and late:
            return node
        self.changed = True
        lines: list[ast.stmt] = [ast.copy_location(ast.Expr(value=value), node) for value in calls]
        return [*lines, assignment(kept, node)] if kept or not lines else lines

    def is_nothing(self, value: ast.expr) -> bool:
        """A literal, or a call that gives None."""
        silent = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in self.silent
        if silent and isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            owner = self.places[value.func].resolve(value.func.id)
            return owner is self.scope and len(owner.bound[value.func.id]) == 1
        return value_of(value) is not UNKNOWN

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        lines = [line for line in node.body if isinstance(line, ast.Global)]
        inner = walk(node) if lines else []
        bound = {item.id for item in inner if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load)}
        for line in lines:
            # What is still read needs no declaration.
            line.names = [name for name in line.names if name in bound]
            if not line.names:
                node.body.remove(line)
        node.body = node.body or [ast.Pass()]
        return node

    def is_unread(self, target: ast.expr) -> bool:
        """A variable of a function, or one of the top level that only functions bind."""
        if not isinstance(target, ast.Name):
            return False
        owner = self.places[target].resolve(target.id)
        mine = owner.kind == "function" or (owner is self.scope and target.id in self.scope.globals)
        return mine and (owner, target.id) not in self.used and self.holds_nothing(owner, target.id)

    def holds_nothing(self, owner: Scope, name: str) -> bool:
        """Does a variable never hold what is gone once it is given another value?"""
        given = self.given.get((owner, name), [])
        return len(given) == len(owner.bound.get(name, [])) and (len(given) == 1 or all(map(self.is_nothing, given)))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                self.visit(item)
        return node


def _is_silent(function: ast.FunctionDef) -> bool:
    """Does a function return nothing but None?"""
    returns = [node.value for node in walk(function) if isinstance(node, ast.Return)]
    plain = all(value is None or (isinstance(value, ast.Constant) and value.value is None) for value in returns)
    return plain and not function.decorator_list
