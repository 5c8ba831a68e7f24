"""Follows values through the whole program: which expressions are always the same literal, and who calls what.

Nothing is executed and the order of statements is not looked at: a variable holds whatever any assignment gives it, a
parameter what any call gives. The solution is the smallest one, found by going through every function until no cell grows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from pgolf.bundle.names import FUNCTIONS, FunctionNode
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.constants_cells import (
    ANYTHING,
    CALLED_BY_PROGRAM,
    FOREIGN_ENTRIES,
    NOTHING,
    Items,
    is_followed,
)
from pgolf.bundle.specialize.constants_eval import Expressions
from pgolf.bundle.specialize.constants_shapes import falls_through
from pgolf.bundle.trees import below

MAKING = ("_make", "__new__", "__class__")
"""Attributes that make objects, or lead to a class."""
Line = tuple[ast.AST, FunctionNode | None]
"""A statement without those below it, and the function that it is in."""


class Flow(Expressions):
    """The solution for a program."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.function: FunctionNode | None = None
        self.owners: dict[ast.AST, str] = {}
        """Unit -> the class of the top level that it is in."""
        self.lines: dict[ast.AST, list[Line]] = {}
        self.copied = self._makes_without_naming()
        self._open_what_is_called_from_outside()
        self._release_what_is_bound_in_other_ways()
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                for item in node.body:
                    self._add_unit(item, node.name)
            else:
                self._add_unit(node, "")
        while self.waiting:
            unit = self.waiting.popleft()
            self.queued.discard(unit)
            self._run_unit(unit)

    # Order

    def _add_unit(self, unit: ast.stmt, owner: str) -> None:
        """A function, or another line of the module or a class."""
        self.owners[unit] = owner
        lines: list[Line] = []
        self.lines[unit] = lines
        if isinstance(unit, ast.FunctionDef):
            _add_lines(unit.body, unit, lines)
        elif owner:
            lines.append((unit, None))
        else:
            _add_lines([unit], None, lines)
        self.units.update((line, unit) for line, _ in lines)
        self.changed.update(line for line, _ in lines)
        self.changed.add(unit)
        self.waiting.append(unit)
        self.queued.add(unit)

    def _run_unit(self, unit: ast.AST) -> None:
        """Go through the lines that read what has changed; a line may change what one further down reads."""
        self.owner = self.owners[unit]
        own_line = Flow._class_line if self.owner and not isinstance(unit, ast.FunctionDef) else None
        for line, function in self.lines[unit]:
            if line in self.changed:
                self.changed.discard(line)
                self.line, self.function = line, function
                run = own_line or STATEMENTS.get(line.__class__, Flow._statement)
                run(self, line)
        if unit in self.changed and isinstance(unit, ast.FunctionDef):
            self.changed.discard(unit)
            if falls_through(unit.body, self._ends):
                self.write((unit, "return"), NOTHING)

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
        known = self.made[name] if name not in self.parents else ANYTHING
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

    def _makes_without_naming(self) -> bool:
        """May an object be made by other than a call of its class: `type(x)(...)`, `x._make(...)`, `replace(...)`?"""
        compared = {item for node in self.of_kind(ast.Compare) for item in (node.left, *node.comparators)}
        fine = {item.func for item in compared if isinstance(item, ast.Call)}
        types = [node for node in self.of_kind(ast.Name) if node.id == "type"]
        froms = [node for node in self.of_kind(ast.ImportFrom) if node.module in ("dataclasses", "copy")]
        return (
            not fine.issuperset(types)
            or not {node.attr for node in self.of_kind(ast.Attribute)}.isdisjoint(MAKING)
            or any(item.name == "replace" for node in froms for item in node.names)
            or any(item.name == "dataclasses" for node in self.of_kind(ast.Import) for item in node.names)
        )

    # Statements

    def _ends(self, node: ast.expr) -> bool:
        """Is this `sys.exit(...)`?"""
        called = node.func if isinstance(node, ast.Call) else None
        if not isinstance(called, ast.Attribute) or called.attr != "exit" or not isinstance(called.value, ast.Name):
            return False
        bound = self.places[called.value].resolve(called.value.id).bound.get(called.value.id, [])
        return len(bound) == 1 and isinstance(bound[0], ast.alias) and bound[0].name == "sys"

    def _class_line(self, node: ast.AST) -> None:
        """A field or attribute that a class's body gives; a record's is its default."""
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if self.owner not in self.records and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            value = self.eval(node.value)
            self.release(value)
            for target in targets:
                self.write((self.owner, target.id if isinstance(target, ast.Name) else "*"), value)

    def _statement(self, node: ast.AST) -> None:
        """The expressions of a line that has no rule of its own."""
        for child in below(node):
            if isinstance(child, ast.expr):
                self.release(self.eval(child))
            elif isinstance(child, ast.withitem):
                self._statement(child)

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

    def _for(self, node: ast.For) -> None:
        self.target(node.target, self.elements(self.eval(node.iter)))

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            self.release(self.eval(item.context_expr))
            if item.optional_vars is not None:
                self.target(item.optional_vars, ANYTHING)

    def _function(self, node: ast.FunctionDef) -> None:
        """A function in a function: released from the start."""
        self.defaults(node)
        for mark in node.decorator_list:
            self.release(self.eval(mark))

    def _assert(self, node: ast.Assert) -> None:
        """Dropped later, and it only reads (rule PG315)."""
        self.see(self.eval(node.test))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.target(target, ANYTHING)


def _add_lines(nodes: Iterable[ast.AST], function: FunctionNode | None, found: list[Line]) -> None:
    """Lines and all below them, in the order of the text."""
    for node in nodes:
        found.append((node, function))
        if node.__class__ not in SIMPLE:
            inner = node if isinstance(node, ast.FunctionDef) else function
            _add_lines([item for item in below(node) if isinstance(item, LINES)], inner, found)


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
SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr, ast.Assert, ast.Delete, ast.Pass)
"""Statements that have none below them."""
LINES = (ast.stmt, ast.ExceptHandler, ast.match_case)


def _makes_others(node: ast.ClassDef) -> bool:
    """Is there a method that gets the class itself?"""
    methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return any(last_name(mark) == "classmethod" for item in methods for mark in item.decorator_list)
