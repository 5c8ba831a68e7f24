"""Follows values through the whole program: which expressions are always the same literal, and who calls what.

Nothing is executed and the order of statements is not looked at: a variable holds whatever any assignment gives it, a
parameter what any call gives. The solution is the smallest one, found by going through every function until no cell grows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from pgolf.bundle.names import FUNCTIONS, FunctionNode
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.constants_cells import (
    ANYTHING,
    CALLED_BY_PROGRAM,
    FOREIGN_ENTRIES,
    NOTHING,
    Items,
    Made,
    is_followed,
)
from pgolf.bundle.specialize.constants_eval import Expressions
from pgolf.bundle.specialize.constants_shapes import falls_through
from pgolf.bundle.trees import below


class Flow(Expressions):
    """The solution for a program."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.function: FunctionNode | None = None
        self.copied = _makes_without_naming(self.nodes)
        self._open_what_is_called_from_outside()
        self._release_what_is_bound_in_other_ways()
        units: list[ast.AST] = []
        for node in tree.body:
            units += node.body if isinstance(node, ast.ClassDef) else [node]
        self.owners = {item: node.name for node in tree.body if isinstance(node, ast.ClassDef) for item in node.body}
        for unit in units:
            self.wake(unit)
        while self.waiting:
            self.unit = self.waiting.popleft()
            self.queued.discard(self.unit)
            self._run_unit(self.unit)

    # What is not followed

    def _open_what_is_called_from_outside(self) -> None:
        for scope in self.scope.walk():
            node = scope.node
            if isinstance(node, FUNCTIONS):
                top = scope.parent is not None and scope.parent.kind in ("module", "class")
                if not top or not isinstance(node, ast.FunctionDef) or not is_followed(node, scope):
                    self.release_function(node)
                    self.write((node, "return"), ANYTHING)
        for name, node in self.classes.items():
            plain = not node.decorator_list or name in self.records
            methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
            special = name in self.records and (
                "__init__" in methods or any(item in self.classes for item in self.bases[name])
            )
            if self.copied or special or len(methods) != len(set(methods)) or _makes_others(node):
                self.open_definition(name)
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and is_followed(item, self.inner[item]):
                    self._follow_method(name, item)
            if name in self.parents or any(base in self.classes for base in self.bases[name]) or not plain:
                self.open_class(name)

    def _follow_method(self, name: str, method: ast.FunctionDef) -> None:
        if not method.args.args or method.args.posonlyargs:
            self.release_function(method)
            return
        known = Made(name) if name not in self.parents else ANYTHING
        self.write((self.inner[method], method.args.args[0].arg), known)
        python = method.name.startswith("__") and method.name not in CALLED_BY_PROGRAM
        outside = self.is_foreign(name) and method.name not in self.closed and method.name not in FOREIGN_ENTRIES
        if python or outside:
            self.release_method(method)

    def _release_what_is_bound_in_other_ways(self) -> None:
        self.globals = frozenset(name for scope in self.scope.walk() for name in scope.globals)
        for scope in self.scope.walk():
            for name, bound in scope.bound.items():
                if scope.kind == "class" or any(not isinstance(item, (ast.Name, ast.arg)) for item in bound):
                    self.write((scope.resolve(name), name), ANYTHING)
        for node in self.inner:
            if isinstance(node, FUNCTIONS):
                for extra in (node.args.vararg, node.args.kwarg):
                    if extra is not None:
                        self.write((self.inner[node], extra.arg), ANYTHING)

    # Statements

    def _run_unit(self, unit: ast.AST) -> None:
        if isinstance(unit, ast.FunctionDef):
            self.function = unit
            self._body(unit.body)
            if falls_through(unit.body, self._ends):
                self.write((unit, "return"), NOTHING)
            self.function = None
        elif unit in self.owners:
            self._class_line(self.owners[unit], unit)
        elif isinstance(unit, ast.stmt):
            self._statement(unit)

    def _ends(self, node: ast.expr) -> bool:
        """Is this `sys.exit(...)`?"""
        called = node.func if isinstance(node, ast.Call) else None
        if not isinstance(called, ast.Attribute) or called.attr != "exit" or not isinstance(called.value, ast.Name):
            return False
        bound = self.places[called.value].resolve(called.value.id).bound.get(called.value.id, [])
        return len(bound) == 1 and isinstance(bound[0], ast.alias) and bound[0].name == "sys"

    def _class_line(self, owner: str, node: ast.AST) -> None:
        """A field or attribute that a class's body gives; a record's is its default."""
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if owner not in self.records and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            value = self.eval(node.value)
            self.release(value)
            for target in targets:
                self.write((owner, target.id) if isinstance(target, ast.Name) else (owner, "*"), value)

    def _body(self, body: list[ast.stmt]) -> None:
        for item in body:
            self._statement(item)

    def _statement(self, node: ast.stmt) -> None:
        run = STATEMENTS.get(type(node))
        if run is not None:
            run(self, node)
            return
        for child in below(node):
            if isinstance(child, ast.expr):
                self.release(self.eval(child))
            elif isinstance(child, ast.stmt):
                self._statement(child)
            elif isinstance(child, (ast.ExceptHandler, ast.match_case, ast.withitem)):
                self._statement(child)  # type: ignore[arg-type]

    def _assign(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.target(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.target(node.target, self.eval(node.value))

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.eval(node.value)
        held = self.load(node.target)
        if isinstance(held, Items) and isinstance(node.op, ast.Add):
            self.write(held.key, self.elements(value))
            return
        self.release(held)
        self.release(value)
        self.target(node.target, ANYTHING)

    def _return(self, node: ast.Return) -> None:
        value = NOTHING if node.value is None else self.eval(node.value)
        self.write((self.function, "return"), value)

    def _expression(self, node: ast.Expr) -> None:
        self.discarded.add(node.value)
        value = self.eval(node.value)
        if not isinstance(node.value, ast.Call):
            self.release(value)

    def _branch(self, node: ast.If | ast.While) -> None:
        self.see(self.eval(node.test))
        self._body(node.body)
        self._body(node.orelse)

    def _for(self, node: ast.For) -> None:
        self.target(node.target, self.elements(self.eval(node.iter)))
        self._body(node.body)
        self._body(node.orelse)

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            self.release(self.eval(item.context_expr))
            if item.optional_vars is not None:
                self.target(item.optional_vars, ANYTHING)
        self._body(node.body)

    def _function(self, node: ast.FunctionDef) -> None:
        """A function in a function: released from the start."""
        self.defaults(node)
        for mark in node.decorator_list:
            self.release(self.eval(mark))
        outer, self.function = self.function, node
        self._body(node.body)
        self.function = outer

    def _assert(self, node: ast.Assert) -> None:
        """Dropped later, and it only reads (rule PG315)."""
        self.see(self.eval(node.test))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.target(target, ANYTHING)


Run = Callable[[Flow, Any], Any]
STATEMENTS: dict[type[ast.AST], Run] = {
    ast.Assign: Flow._assign,
    ast.AnnAssign: Flow._annotated,
    ast.AugAssign: Flow._augmented,
    ast.Return: Flow._return,
    ast.Expr: Flow._expression,
    ast.If: Flow._branch,
    ast.While: Flow._branch,
    ast.For: Flow._for,
    ast.With: Flow._with,
    ast.FunctionDef: Flow._function,
    ast.Assert: Flow._assert,
    ast.Delete: Flow._delete,
}


def _makes_without_naming(nodes: list[ast.AST]) -> bool:
    """May an object be made by something that is not a call of its class: `type(x)(...)`, `x._make(...)`, `replace(...)`?"""
    compared: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Compare):
            compared.update(item.func for item in (node.left, *node.comparators) if isinstance(item, ast.Call))
        elif isinstance(node, ast.Name):
            if node.id == "type" and node not in compared:
                return True
        elif isinstance(node, ast.Attribute):
            if node.attr in ("_make", "__new__", "__class__"):
                return True
        elif isinstance(node, ast.ImportFrom):
            if node.module in ("dataclasses", "copy") and any(item.name == "replace" for item in node.names):
                return True
        elif isinstance(node, ast.Import) and any(item.name == "dataclasses" for item in node.names):
            return True
    return False


def _makes_others(node: ast.ClassDef) -> bool:
    """Is there a method that gets the class itself?"""
    methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return any(last_name(mark) == "classmethod" for item in methods for mark in item.decorator_list)
