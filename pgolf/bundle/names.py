"""Which scope every name of a syntax tree belongs to: Python's own rules, on the tree, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pgolf.bundle.trees import MANY, ONE, SHAPES, below
from pgolf.bundle.trees import copy_tree as copy_tree

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

IDENTIFIERS: dict[type[ast.AST], str] = {
    ast.Name: "id",
    ast.arg: "arg",
    ast.FunctionDef: "name",
    ast.AsyncFunctionDef: "name",
    ast.ClassDef: "name",
    ast.ExceptHandler: "name",
    ast.MatchAs: "name",
    ast.MatchStar: "name",
    ast.MatchMapping: "rest",
}
"""The field of each kind of node that holds a variable."""


def bound_name(node: ast.AST) -> str | None:
    """The variable that a node binds, if it binds one."""
    if isinstance(node, ast.Name):
        return node.id if not isinstance(node.ctx, ast.Load) else None
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    name = getattr(node, IDENTIFIERS.get(type(node), ""), None)
    return name if isinstance(name, str) else None


@dataclass(eq=False, slots=True)
class Scope:
    """One namespace: kind is "module", "class", "function" or "comprehension"."""

    node: ast.AST
    kind: str
    parent: Scope | None
    bound: dict[str, list[ast.AST]] = field(default_factory=dict)
    reads: dict[str, list[ast.AST]] = field(default_factory=dict)
    globals: frozenset[str] = frozenset()
    nonlocals: frozenset[str] = frozenset()
    children: list[Scope] = field(default_factory=list)
    yields: bool = False

    def walk(self) -> list[Scope]:
        """This scope and all below it, in source order."""
        found = [self]
        for child in self.children:
            found += child.walk() if child.children else [child]
        return found

    def resolve(self, name: str) -> Scope:
        """The scope whose variable `name` means here; the module where no function binds it."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            visible = scope is self or scope.kind != "class"
            if visible and name in scope.globals:
                break
            if visible and name in scope.bound and name not in scope.nonlocals:
                return scope
            scope = scope.parent
        return self.module

    def reads_inside(self, name: str) -> list[ast.AST]:
        """Every place that reads this scope's variable, also in functions inside."""
        found: list[ast.AST] = []
        for inner in self.walk():
            if name in inner.reads and inner.resolve(name) is self:
                found += inner.reads[name]
        return found

    def is_bound_once(self, name: str) -> bool:
        """Does one node bind this scope's variable, here and in functions inside?"""
        return len(self.bound.get(name, ())) == 1 and not any(name in inner.nonlocals for inner in self.walk())

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class _Binder:
    """Builds the scope tree; `places` maps each node that holds an identifier to the scope it is looked up in."""

    def __init__(self, root: ast.AST, places: dict[ast.AST, Scope]):
        self.scope, self.places = Scope(root, "module", None), places

    def visit(self, nodes: Iterable[Any]) -> None:
        """Visit nodes, and all below them that no method of this class takes over, in source order; None is a gap."""
        scope, places, reads, methods, shapes = self.scope, self.places, self.scope.reads, _METHODS, SHAPES
        waiting = [node for node in nodes if node is not None][::-1]
        while waiting:
            node = waiting.pop()
            kind = node.__class__
            if kind is ast.Name and node.ctx.__class__ is ast.Load:
                places[node] = scope
                if node.id in reads:
                    reads[node.id].append(node)
                else:
                    reads[node.id] = [node]
                continue
            if kind in methods:
                methods[kind](self, node)
                continue
            values = node.__dict__
            for name, holds in reversed(shapes[kind]):
                value = values.get(name)
                if value is None:
                    continue
                if holds == ONE:
                    waiting.append(value)
                else:
                    waiting += value[::-1] if holds == MANY else [item for item in reversed(value) if item is not None]

    def bind(self, name: str, node: ast.AST, scope: Scope | None = None) -> None:
        scope = scope or self.scope
        if scope.globals and name in scope.globals:
            scope = scope.module
        self.places[node] = scope
        scope.bound.setdefault(name, []).append(node)

    def enter(self, node: ast.AST, kind: str) -> Scope:
        scope = Scope(node, kind, self.scope)
        self.scope.children.append(scope)
        self.scope = scope
        return scope

    def leave(self) -> None:
        assert self.scope.parent is not None
        self.scope = self.scope.parent

    def visit_Name(self, node: ast.Name) -> None:
        self.bind(node.id, node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit([node.value])
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        self.bind(node.target.id, node.target, scope)

    def _arguments(self, args: ast.arguments) -> list[ast.arg]:
        extra = [arg for arg in (args.vararg, args.kwarg) if arg is not None]
        return [*args.posonlyargs, *args.args, *args.kwonlyargs, *extra]

    def _function(self, node: FunctionNode) -> None:
        arguments = self._arguments(node.args)
        annotations = [*(argument.annotation for argument in arguments), getattr(node, "returns", None)]
        self.visit([*node.args.defaults, *node.args.kw_defaults, *annotations])
        self.enter(node, "function")
        for argument in arguments:
            self.bind(argument.arg, argument)
        self.visit([node.body] if isinstance(node, ast.Lambda) else node.body)
        self.leave()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.visit(node.decorator_list)
        self.bind(node.name, node)
        self._function(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    visit_Lambda = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.visit([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        self.bind(node.name, node)
        self.enter(node, "class")
        self.visit(node.body)
        self.leave()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit([node.generators[0].iter])
        self.enter(node, "comprehension")
        for number, generator in enumerate(node.generators):
            self.visit([generator.target, *([generator.iter] if number else []), *generator.ifs])
        self.visit([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.leave()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _named(self, node: ast.AST) -> None:
        name = bound_name(node)
        if name:
            self.bind(name, node)
        self.visit(below(node))

    visit_alias = visit_ExceptHandler = visit_MatchAs = visit_MatchStar = visit_MatchMapping = _named

    def visit_Global(self, node: ast.Global) -> None:
        self.places[node] = self.scope
        self.scope.globals = self.scope.globals.union(node.names)
        self.scope.module.globals = self.scope.module.globals.union(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.places[node] = self.scope
        self.scope.nonlocals = self.scope.nonlocals.union(node.names)

    def visit_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self.scope.yields = True
        self.visit(below(node))

    visit_YieldFrom = visit_Yield


_METHODS: dict[type[ast.AST], Callable[[_Binder, Any], None]] = {
    getattr(ast, name.removeprefix("visit_")): method for name, method in vars(_Binder).items() if "visit_" in name
}
"""Class of node -> the method that visits it, if one does."""


Resolved = tuple[Scope, dict[ast.AST, Scope]]


def scopes(root: ast.AST, places: dict[ast.AST, Scope] | None = None) -> Resolved:
    """The scope tree of a module or statement, and the scope each identifier is looked up in, added to `places`."""
    binder = _Binder(root, places if places is not None else {})
    binder.visit([root])
    return binder.scope, binder.places


def reads_of(top: Scope, now: bool = False) -> frozenset[str]:
    """Names of the top level or builtins that are read below a scope; with `now`, while the statement itself runs."""
    return frozenset(
        name
        for scope in top.walk()
        if not (now and _inside_function(scope))
        for name in scope.reads
        # A class body that reads a name before it binds it means the top level's; PG301 refuses that.
        if scope.resolve(name).kind == "module"
    )


def words_of(top: Scope) -> set[str]:
    """Every variable below a scope, other than those of classes: they are members."""
    found: set[str] = set()
    for scope in top.walk():
        found.update(scope.reads, scope.bound if scope.kind != "class" else ())
    return found


def _inside_function(scope: Scope | None) -> bool:
    while scope is not None:
        if scope.kind == "function":
            return True
        scope = scope.parent
    return False
