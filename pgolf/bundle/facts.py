"""Facts: what one top-level statement shows on its own, and tables that are put together from those of many."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, TypeVar

from pgolf.bundle.link import bound_names
from pgolf.bundle.names import IDENTIFIERS, Scope, words_of
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Pair, member_names, pairs
from pgolf.bundle.trees import Node, by_attribute, index

Table = TypeVar("Table")


class Facts:
    """What one top-level statement shows on its own.

    Attributes:
        node: the statement.
        kinds: class of node -> its nodes.
        scope: the scope around the statement; `resolve` gives this one for names of the top level.
        bound: names that the statement binds at the top level by being run.

    Args:
        parents: gets the node above each node below the statement.
        scope: the scope around the statement.
    """

    def __init__(self, node: ast.stmt, parents: dict[ast.AST, ast.AST], scope: Scope):
        self.node, self.scope = node, scope
        self.kinds = index(node, parents)
        self.bound = bound_names(node)
        self._tables: dict[str, Any] = {}

    def nodes(self, kind: type[Node]) -> list[Node]:
        """Every node of one class."""
        return self.kinds.get(kind, [])

    def table(self, key: str, make: Callable[[Facts], Table]) -> Table:
        """What `make` finds out, kept under a name until the statement changes."""
        if key not in self._tables:
            self._tables[key] = make(self)
        table: Table = self._tables[key]
        return table

    @cached_property
    def reads(self) -> dict[str, list[ast.Name]]:
        """Name of the top level or builtin -> each place that reads it."""
        found: dict[str, list[Any]] = {}
        for scope in self.scope.walk():
            for name, nodes in scope.reads.items():
                if scope.resolve(name).kind == "module":
                    found.setdefault(name, []).extend(nodes)
        return found

    @cached_property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Attribute -> each `x.attribute`, read, stored or deleted."""
        return by_attribute(self.nodes(ast.Attribute))

    @cached_property
    def assignments(self) -> list[tuple[ast.Assign, list[Pair]]]:
        """The assignments that have `pairs`, with these."""
        return [(line, stored) for line in self.nodes(ast.Assign) if (stored := pairs(line))]

    @cached_property
    def inner_scopes(self) -> dict[ast.AST, Scope]:
        """Function, class or comprehension -> its scope."""
        return {scope.node: scope for scope in self.scope.walk() if scope is not self.scope}

    @cached_property
    def members(self) -> list[tuple[str, ast.stmt]]:
        """What a class's body defines, and the line that does it."""
        body = self.node.body if isinstance(self.node, ast.ClassDef) else []
        return [(name, line) for line in body for name in member_names(line)]

    @cached_property
    def decorators(self) -> frozenset[str]:
        """The last names of all decorators of functions."""
        return frozenset(last_name(mark) for node in self.nodes(ast.FunctionDef) for mark in node.decorator_list)

    @cached_property
    def decorated(self) -> frozenset[str]:
        """Functions with decorators, by name."""
        return frozenset(node.name for node in self.nodes(ast.FunctionDef) if node.decorator_list)

    @cached_property
    def bound_inside(self) -> frozenset[str]:
        """Variables of the functions, classes and comprehensions below the statement."""
        return frozenset(name for scope in self.inner_scopes.values() for name in scope.bound)

    @cached_property
    def variables(self) -> frozenset[str]:
        """Every word that is a variable somewhere in the statement."""
        return frozenset(words_of(self.scope))

    @cached_property
    def spellings(self) -> frozenset[str]:
        """Every word that names something: a new name unlike all of them is apart from them whatever it is renamed to."""
        words: set[str | None] = set(self.attributes)
        for alias in self.nodes(ast.alias):
            words.update((alias.name, alias.asname))
        for kind, field in IDENTIFIERS.items():
            words.update(getattr(node, field) for node in self.nodes(kind))
        return frozenset(word for word in words if word)


def merged_lists(tables: Iterable[dict[str, list[Any]]]) -> dict[str, list[Any]]:
    """One table with what all have under each key, in their order."""
    found: dict[str, list[Any]] = {}
    for table in tables:
        for key, values in table.items():
            found.setdefault(key, []).extend(values)
    return found


def united(words: Iterable[Iterable[str]]) -> frozenset[str]:
    """The words of all."""
    return frozenset[str]().union(*words)
