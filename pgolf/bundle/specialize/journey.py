"""Where an object goes: is it only ever called, by whatever variable, attribute, parameter or result it comes to?"""

from __future__ import annotations

import ast

from pgolf.bundle.names import Scope
from pgolf.bundle.syntax import pairs
from pgolf.bundle.visibility import EXTERNAL_NAMES

PASSED_ON = ("torch.compile",)
"""Functions that make their first argument something that does the same when it is called."""


class Journey:
    """Follows expressions; `parents`, `places`, `names` and `attributes` are those of the whole program."""

    def __init__(
        self,
        parents: dict[ast.AST, ast.AST],
        places: dict[ast.AST, Scope],
        names: dict[str, list[ast.Name]],
        attributes: dict[str, list[ast.Attribute]],
    ):
        self.parents, self.places, self.names, self.attributes = parents, places, names, attributes
        self.seen: set[tuple[ast.AST, ast.Call | None]] = set()

    def ends_in_calls(self, node: ast.AST, came: ast.Call | None = None) -> bool:
        """Is the value of an expression only called, here and wherever it is stored, handed on, returned or compiled?

        Args:
            came: the call that handed the value to the function which the expression is in.
        """
        if (node, came) in self.seen:
            return True
        self.seen.add((node, came))
        outer = self.parents[node]
        if isinstance(outer, ast.Call):
            if node in outer.args[:1] and self.passes_on(outer.func):
                return self.ends_in_calls(outer, came)
            return outer.func is node or self.handed(node, outer)
        if isinstance(outer, ast.IfExp):
            return node is not outer.test and self.ends_in_calls(outer, came)
        if isinstance(outer, ast.Return):
            return self.ends_in_calls(came) if came is not None else self.returned(outer)
        if isinstance(outer, ast.Tuple):
            outer = self.parents[outer]
        if isinstance(outer, ast.Assign) and len(outer.targets) == 1:
            targets = [target for target, value in pairs(outer) if value is node]
            return bool(targets) and all(self.stored(target, came) for target in targets)
        return isinstance(outer, ast.Expr)

    def passes_on(self, function: ast.expr) -> bool:
        root = function.value if isinstance(function, ast.Attribute) else function
        is_import = isinstance(root, ast.Name) and self.places[root].resolve(root.id).kind == "module"
        return is_import and ast.unparse(function) in PASSED_ON

    def handed(self, node: ast.AST, call: ast.Call) -> bool:
        """A positional argument of a function of the program."""
        if not isinstance(call.func, ast.Name) or node not in call.args:
            return False
        owner = self.places[call.func].resolve(call.func.id)
        bound = owner.bound.get(call.func.id, [])
        function = bound[0] if len(bound) == 1 and owner.kind == "module" else None
        starred = any(isinstance(item, ast.Starred) for item in call.args)
        if not isinstance(function, ast.FunctionDef) or function.decorator_list or starred:
            return False
        inner = self.inside(function)
        place = call.args.index(node) if isinstance(node, ast.expr) else 0
        if inner is None or inner.yields or function.args.posonlyargs or place >= len(function.args.args):
            return False
        name = function.args.args[place].arg
        return all(self.ends_in_calls(read, call) for read in _reads(inner, name))

    def inside(self, function: ast.FunctionDef) -> Scope | None:
        """A function's own scope; one without parameters is handed nothing."""
        return self.places[function.args.args[0]] if function.args.args else None

    def returned(self, node: ast.AST) -> bool:
        """The results of a function that is only called, by its name."""
        while not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef)):
            node = self.parents[node]
        if not isinstance(node, ast.FunctionDef) or not isinstance(self.parents[node], ast.Module):
            return False
        uses = self.names.get(node.name, [])
        calls = [self.parents[use] for use in uses if is_called(use, self.parents)]
        return not node.decorator_list and len(calls) == len(uses) and all(self.ends_in_calls(call) for call in calls)

    def stored(self, target: ast.expr, came: ast.Call | None) -> bool:
        """Every place that reads the variable or an attribute of this name."""
        if isinstance(target, ast.Attribute) and target.attr not in EXTERNAL_NAMES:
            reads = [node for node in self.attributes[target.attr] if isinstance(node.ctx, ast.Load)]
            return all(self.ends_in_calls(node) for node in reads)
        if not isinstance(target, ast.Name):
            return False
        owner = self.places[target].resolve(target.id)
        # Another call of the function may find what this one left at the top level.
        came = came if owner.kind == "function" and owner is self.places[target] else None
        return all(self.ends_in_calls(node, came) for node in _reads(owner, target.id))


def _reads(scope: Scope, name: str) -> list[ast.AST]:
    """Every place that reads a variable."""
    return [node for inner in scope.walk() for node in inner.reads.get(name, []) if inner.resolve(name) is scope]


def is_called(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Is an expression what a call calls?"""
    outer = parents[node]
    return isinstance(outer, ast.Call) and outer.func is node
