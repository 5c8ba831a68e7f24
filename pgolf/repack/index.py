"""What the names of a script stand for: its scopes, parents, imports and functions, worked out once from its tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pgolf.bundle.names import FUNCTIONS, Scope, scopes

Variable = tuple[Scope, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef
BUILTIN_MODULES = ("builtins.", "__builtins__.")
MEANINGS = 64
"""A name that may stand for more things than this may stand for anything, so that it counts as `exec`."""


class Index:
    """One script.

    Attributes:
        tree: the module.
        parents: node -> the node that it is part of.
        top: the scope of the top level.
        places: node with an identifier -> the scope that it is looked up in.
        loads: variable -> the names that read it.
        members: name -> the attributes of that name that are read or bound.
        methods: name -> the methods of that name.
    """

    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.parents = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}
        self.top, self.places = scopes(tree)
        self.loads: dict[Variable, list[ast.Name]] = {}
        self.members: dict[str, list[ast.Attribute]] = {}
        self.methods: dict[str, list[Function]] = {}
        self._meanings: dict[Variable, set[str]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                self.members.setdefault(node.attr, []).append(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and self.is_method(node):
                self.methods.setdefault(node.name, []).append(node)
        for node, place in self.places.items():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.loads.setdefault((place.resolve(node.id), node.id), []).append(node)

    def binders(self, variable: Variable) -> list[ast.AST]:
        """Nodes that bind a variable; none for a builtin."""
        scope, name = variable
        return scope.bound.get(name, [])

    def variable(self, node: ast.AST, name: str) -> Variable:
        """The variable that a name means where a node stands."""
        return self.places[node].resolve(name), name

    def origins(self, node: ast.AST) -> set[str]:
        """What an expression may stand for, as dotted names: `inspect.signature`, `exec`, or `.read` of an unknown object.

        Names are followed through imports, `name = other.name` and `importlib.import_module("text")`.
        """
        if isinstance(node, ast.Attribute):
            bases = self.origins(node.value)
            return {_plain(f"{base}.{node.attr}") for base in bases} or {f".{node.attr}"}
        if isinstance(node, ast.Call):
            name = next(iter(self.origins(node.func)), "")
            text = node.args[0] if node.args and name in ("__import__", "importlib.import_module") else None
            return {text.value} if isinstance(text, ast.Constant) and isinstance(text.value, str) else set()
        return self._meaning(self.variable(node, node.id)) if isinstance(node, ast.Name) else set()

    def _meaning(self, variable: Variable) -> set[str]:
        binders = self.binders(variable)
        if not binders:
            return {_plain(variable[1])}
        if variable not in self._meanings:
            self._meanings[variable] = set()  # what a name is bound to by way of itself adds nothing
            meanings: set[str] = set()
            for binder in binders:
                meanings |= self._bound_to(binder)
                if len(meanings) > MEANINGS:
                    meanings = {"exec"}
                    break
            self._meanings[variable] = meanings
        return self._meanings[variable]

    def _bound_to(self, binder: ast.AST) -> set[str]:
        parent = self.parents.get(binder)
        if isinstance(binder, ast.alias):
            if isinstance(parent, ast.ImportFrom):
                return {_plain(f"{parent.module or ''}.{binder.name}")}
            return {binder.name if binder.asname else binder.name.partition(".")[0]}
        if isinstance(parent, ast.Assign) and isinstance(parent.value, (ast.Name, ast.Attribute)):
            return self.origins(parent.value)
        return set()

    def is_own(self, node: ast.AST) -> bool:
        """Is this a name that the script binds itself, other than by an import?"""
        if not isinstance(node, ast.Name):
            return False
        binders = self.binders(self.variable(node, node.id))
        return bool(binders) and not any(isinstance(binder, ast.alias) for binder in binders)

    def called(self, call: ast.Call) -> list[Function]:
        """The functions of the script that a call may mean: by its name, or every method of that name."""
        if isinstance(call.func, ast.Name):
            binders = self.binders(self.variable(call.func, call.func.id))
            return [binder for binder in binders if isinstance(binder, (ast.FunctionDef, ast.AsyncFunctionDef))]
        if not isinstance(call.func, ast.Attribute):
            return []
        imported = any(not origin.startswith(".") for origin in self.origins(call.func))
        return [] if imported else self.methods.get(call.func.attr, [])

    def calls_of(self, function: Function) -> list[ast.Call] | None:
        """Every call that may mean a function; None where it is used in another way."""
        if self.is_method(function):
            uses: list[ast.AST] = list(self.members.get(function.name, []))
        else:
            uses = list(self.loads.get(self.variable(function, function.name), []))
        calls = [(use, self.parents[use]) for use in uses]
        if any(not isinstance(call, ast.Call) or call.func is not use for use, call in calls):
            return None
        return [call for _, call in calls if isinstance(call, ast.Call)]

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that a node is part of, from the inside to the module."""
        parent = self.parents.get(node)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent)

    def functions_around(self, node: ast.AST) -> list[ast.AST]:
        """The functions that a node is part of, from the inside."""
        return [parent for parent in self.around(node) if isinstance(parent, FUNCTIONS)]

    def is_method(self, node: ast.AST) -> bool:
        """Does a function stand in the body of a class?"""
        around = (parent for parent in self.around(node) if isinstance(parent, (*FUNCTIONS, ast.ClassDef, ast.Module)))
        return isinstance(next(around, None), ast.ClassDef)


def _plain(name: str) -> str:
    """`exec` for `builtins.exec`."""
    for module in BUILTIN_MODULES:
        name = name.removeprefix(module)
    return name


def is_idle(node: ast.AST) -> bool:
    """Is this a docstring, or another statement that is only a literal?"""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`, `c(...)` or `c`; empty for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
