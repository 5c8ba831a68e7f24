"""What the rules of the subset see: a module, the meaning of each name in it, and its reached code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from operator import itemgetter
from typing import Any

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope
from pgolf.bundle.source import ENTRY, Module, Statement, is_build_time
from pgolf.bundle.trees import ONE, SHAPES, Node, by_class, walk
from pgolf.errors import PgolfError

BUILD_TIME = "pgolf:"
INTERNAL = "internal:"
BUILTIN = "builtins."
Methods = dict[str, list[ast.FunctionDef]]
Findings = Iterator[PgolfError]
"""What a rule gives."""


class View:
    """One module among all modules of a program.

    Attributes:
        module: the module under the rules.
        modules: all modules by name, this one included.
        methods: the reached methods of all modules' classes by name.
    """

    def __init__(self, module: Module, modules: dict[str, Module], methods: Methods):
        self.module, self.modules, self.methods = module, modules, methods
        (self.scope, self.places), self.parents = module.scoped, module.parents
        self._full: dict[ast.AST, str] = {}

    @cached_property
    def reached(self) -> list[Statement]:
        """Statements that will be in the built file."""
        return list(self.module.reached())

    @cached_property
    def _code(self) -> dict[type[ast.AST], list[tuple[int, Any]]]:
        """Class of node -> the nodes of the reached statements, with their numbers in source order."""
        found: dict[type[ast.AST], list[tuple[int, Any]]] = {}
        for place, node in enumerate(node for statement in self.reached for node in walk_code(statement.node)):
            found.setdefault(node.__class__, []).append((place, node))
        return found

    def code(self, *kinds: type[Node]) -> list[Node]:
        """The nodes of some classes in the reached statements, in source order, without annotations that are stripped."""
        found = [item for kind in kinds for item in self._code.get(kind, ())]
        return [node for _, node in (sorted(found, key=itemgetter(0)) if len(kinds) > 1 else found)]

    @cached_property
    def names(self) -> dict[str, list[ast.Name | ast.Attribute]]:
        """Full name -> the names and attributes in the code that mean it."""
        found: dict[str, list[ast.Name | ast.Attribute]] = {}
        for node in self.code(ast.Name, ast.Attribute):
            if isinstance(node, (ast.Name, ast.Attribute)) and (name := self.full(node)):
                found.setdefault(name, []).append(node)
        return found

    def named(self, fits: Callable[[str], object]) -> Iterator[ast.Name | ast.Attribute]:
        """Names and attributes in the code whose full name fits."""
        for name, nodes in self.names.items():
            if fits(name):
                yield from nodes

    @cached_property
    def whole(self) -> dict[type[ast.AST], list[Any]]:
        """Class of node -> the nodes of the reached statements, with all annotations; outer ones before those inside."""
        return by_class(node for statement in self.reached for node in walk(statement.node))

    @cached_property
    def assigned(self) -> list[tuple[ast.AST, ast.expr]]:
        """(target, value) of the module's assignments, in the order of the tree."""
        found = []
        for node, parent in self.parents.items():
            if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and parent.value is not None:
                found.append((node, parent.value))
        return found

    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Top-level imports of the module, and every import inside reached functions."""
        for node in self.module.tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                yield node
        for inner in self.code(ast.Import, ast.ImportFrom):
            if isinstance(inner, (ast.Import, ast.ImportFrom)) and inner not in self.module.tree.body:
                yield inner

    def is_internal(self, name: str) -> bool:
        """Does a module name belong to what is bundled, or to pgolf itself?"""
        return name in self.module.internal or name.partition(".")[0] in self._roots

    @cached_property
    def _roots(self) -> set[str]:
        return {module.partition(".")[0] for module in self.modules if module != ENTRY} | {"pgolf"}

    def full(self, node: ast.AST) -> str:
        """The full name behind a name or attribute chain.

        `torch.nn.Module`, `builtins.eval`, `internal:Name` for a bundled top-level name, `pgolf:Name` for one of the
        build-time names; empty for local variables and for other expressions.
        """
        known = self._full.get(node)
        if known is None:
            self._full[node] = known = self._find_full(node)
        return known

    def _find_full(self, node: ast.AST) -> str:
        if isinstance(node, ast.Attribute):
            base = self.full(node.value)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name) or node not in self.places:
            return ""
        if self.places[node].resolve(node.id).kind != "module":
            return ""
        binding = self.module.imports.get(node.id)
        if node.id in self.module.declares and not self.module.declares[node.id].optional:
            return INTERNAL + node.id
        if binding is None:
            return BUILTIN + node.id
        if is_build_time(binding.module):
            return BUILD_TIME + binding.name
        if binding.module in self.module.internal or self.is_internal(binding.module):
            return INTERNAL + (binding.name or node.id)
        return f"{binding.module}.{binding.name}" if binding.name else binding.module

    def definition(self, name: str) -> ast.stmt | None:
        """The top-level statement, here or in the module it is imported from, that declares a name."""
        statement = self._declaration(self.module, name)
        return statement.node if statement is not None else None

    def _declaration(self, module: Module, name: str) -> Statement | None:
        binding = module.imports.get(name)
        if name not in module.declares and binding is not None and binding.module in self.modules:
            return self.modules[binding.module].declares.get(binding.name)
        return module.declares.get(name)

    def method(self, node: ast.Attribute) -> ast.FunctionDef | None:
        """The function behind `Class.name` of a bundled class: its own, or that of a bundled base."""
        base, owner = node.value, self.module
        while isinstance(base, ast.Name):
            statement = self._declaration(owner, base.id)
            if statement is None or not isinstance(statement.node, ast.ClassDef):
                break
            for member in statement.node.body:
                if isinstance(member, ast.FunctionDef) and member.name == node.attr:
                    return member
            base, owner = next(iter(statement.node.bases), node), statement.module
        return None

    def functions(self) -> Iterator[tuple[FunctionNode, Scope]]:
        """Reached functions and lambdas, nested ones included, with their scopes."""
        nodes = set(self.code(*FUNCTIONS))
        for scope in self.scope.walk():
            if isinstance(scope.node, FUNCTIONS) and scope.node in nodes:
                yield scope.node, scope

    def function_around(self, node: ast.AST) -> FunctionNode | None:
        """The innermost function that holds a node."""
        parent = self.parents.get(node)
        while parent is not None and not isinstance(parent, FUNCTIONS):
            parent = self.parents.get(parent)
        return parent if isinstance(parent, FUNCTIONS) else None


def methods_of(modules: Iterable[Module]) -> Methods:
    """The methods of every reached class, by name."""
    found: Methods = {}
    for module in modules:
        for statement in module.reached():
            if isinstance(statement.node, ast.ClassDef):
                for item in statement.node.body:
                    if isinstance(item, ast.FunctionDef):
                        found.setdefault(item.name, []).append(item)
    return found


def walk_code(root: ast.AST) -> list[ast.AST]:
    """`root` and all below it in source order, without annotations of functions and local variables."""
    found: list[ast.AST] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        for name, holds in reversed(SHAPES[node.__class__]):
            stripped = name == "returns" or (name == "annotation" and node.__class__ is ast.arg)
            value = getattr(node, name, None) if not stripped else None
            if holds != ONE:
                waiting += [item for item in reversed(value or ()) if item is not None]
            elif value is not None:
                waiting.append(value)
    return found


def is_record(view: View, node: ast.ClassDef) -> bool:
    """Is this class a NamedTuple?"""
    return any(view.full(base) == "typing.NamedTuple" for base in node.bases)


def is_dataclass(view: View, node: ast.ClassDef) -> bool:
    return any(view.full(call_target(item)) == "dataclasses.dataclass" for item in node.decorator_list)


def call_target(node: ast.expr) -> ast.expr:
    """`f` of `f(...)`, else the expression itself."""
    return node.func if isinstance(node, ast.Call) else node
