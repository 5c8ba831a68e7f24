"""The program as the passes see it: top-level statements, and one index of who reads, writes and calls what.

An index of a whole program is dear to make and is out of date after the first change. So facts are gathered for each
top-level statement, and thrown away only for those that a pass has changed; tables of the program are put together from
them when somebody asks. Passes change the program through `replace`, `remove`, `insert` and `put`, or change a tree as they
like and then call `changed`.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from pgolf.bundle.facts import Facts, merged_lists, united
from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.names import FUNCTIONS, FunctionNode, Resolved, Scope, copy_tree, scopes
from pgolf.bundle.syntax import Pair, is_main_block, own_stores
from pgolf.bundle.trees import ONE, SHAPES, Node, parents
from pgolf.bundle.visibility import Visibility

Table = TypeVar("Table")


class Program:
    """A program that passes change.

    Attributes:
        statements: the top level, in the order in which it runs, each with the module that it came from.
        changes: how often it was changed.
    """

    def __init__(self, statements: Iterable[Owned]):
        self.statements = list(statements)
        self.changes = 0
        self._facts: dict[ast.stmt, Facts] = {}
        self._tables: dict[str, Any] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._places: dict[ast.AST, Scope] = {}
        self._scopes: dict[ast.AST, Scope] = {}
        self._taken: set[str] = set()
        self._visibility: Visibility | None = None

    @classmethod
    def of(cls, flat: Flat, used_up: bool = False) -> Program:
        """A copy of a flat module, so that passes may change its trees; these themselves, where they are used up."""
        if used_up:
            program = cls(flat.statements)
            for node, resolved in flat.scoped.items():
                program.facts(node, resolved)
            return program
        return cls(Owned(item.owner, copy_tree(item.node)) for item in flat.statements)

    @property
    def flat(self) -> Flat:
        """The program as a stage hands it on."""
        return Flat(tuple(self.statements))

    @property
    def body(self) -> list[ast.stmt]:
        """The statements without their owners; a copy."""
        return [item.node for item in self.statements]

    # Changes

    def changed(self, node: ast.AST) -> None:
        """Say that the tree of a statement, or of the one that a node is in, is another one now."""
        self._facts.pop(self.statement(node), None)
        self._forget()

    def _forget(self) -> None:
        self.changes += 1
        self._tables.clear()

    def insert(self, before: ast.stmt, nodes: Sequence[ast.stmt], owner: str) -> None:
        """Add statements in front of one."""
        place = self._place(before)
        self._set(place, place, nodes, owner)

    def replace(self, old: ast.stmt, nodes: Sequence[ast.stmt]) -> None:
        """Put statements in the place of one; they have its owner."""
        place = self._place(old)
        self._facts.pop(old, None)
        self._set(place, place + 1, nodes, self.statements[place].owner)

    def _set(self, first: int, end: int, nodes: Sequence[ast.stmt], owner: str) -> None:
        self.statements[first:end] = [Owned(owner, node) for node in nodes]
        for node in nodes:
            # It may have been below another statement.
            self._parents.pop(node, None)
        self._forget()

    def remove(self, nodes: Iterable[ast.stmt]) -> None:
        """Drop top-level statements."""
        gone = set(nodes)
        self.statements = [item for item in self.statements if item.node not in gone]
        self._visibility = None
        for node in gone:
            self._facts.pop(node, None)
        self._forget()

    def put(self, old: ast.AST, *new: ast.AST) -> None:
        """Put a node in the place of one below a top-level statement; any number where `old` is one of a list, such as a body.

        A body that would be empty gets a `pass`. Nodes have one place: put a copy where a tree is needed twice.
        """
        above = self.parent(old)
        self.changed(old)
        for name, holds in SHAPES[above.__class__]:
            value = getattr(above, name, None)
            if value is old:
                assert len(new) == 1
                setattr(above, name, new[0])
            elif holds != ONE and value is not None and any(child is old for child in value):
                place = next(place for place, child in enumerate(value) if child is old)
                empty = name == "body" and not new and len(value) == 1
                new = (ast.copy_location(ast.Pass(), old),) if empty else new
                value[place : place + 1] = new
        for node in new:
            if not hasattr(node, "lineno") and hasattr(old, "lineno"):
                ast.copy_location(node, old)
            self._parents[node] = above
            self._parents.update(parents(node))

    def fresh(self, wanted: str) -> str:
        """A name like `wanted` that the program has no word for; it is taken from now on."""
        # Whatever word is new after this is a fresh one.
        self._taken = self._taken or set(self.spellings)
        # What is left of `_` or `_1` without its underscores is no name.
        wanted = wanted if wanted.isidentifier() else f"value_{wanted}"
        name, number = wanted, 1
        while name in self._taken or name in BUILTINS or keyword.iskeyword(name):
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def _place(self, node: ast.stmt) -> int:
        return next(place for place, item in enumerate(self.statements) if item.node is node)

    # Facts about places

    def facts(self, node: ast.stmt, resolved: Resolved | None = None) -> Facts:
        """What a top-level statement shows; `resolved` are its scopes, where the caller has them."""
        facts = self._facts.get(node)
        if facts is None:
            scope, places = resolved or scopes(node)
            self._facts[node] = facts = Facts(node, self._parents, scope)
            self._places.update(places)
            self._scopes.update(facts.inner_scopes)
        return facts

    def all_facts(self) -> list[Facts]:
        """Those of every statement, in order."""
        known = self._facts
        return self.table("facts", lambda: [known.get(item.node) or self.facts(item.node) for item in self.statements])

    def parent(self, node: ast.AST) -> ast.AST:
        """The node above one that is below a top-level statement."""
        above = self._parents.get(node)
        if above is None:
            self.all_facts()
            above = self._parents[node]
        return above

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes above one, up to its top-level statement."""
        if not self._parents:
            self.all_facts()
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def statement(self, node: ast.AST) -> ast.stmt:
        """The top-level statement that a node is or is in."""
        outermost = node
        for above in self.ancestors(node):
            outermost = above
        assert isinstance(outermost, ast.stmt)
        return outermost

    def function(self, node: ast.AST) -> FunctionNode | None:
        """The function that a node is in, or None at the top level and in the body of a class."""
        return next((above for above in self.ancestors(node) if isinstance(above, FUNCTIONS)), None)

    def owner(self, node: ast.stmt) -> str:
        """The module that a top-level statement came from."""
        return self.statements[self._place(node)].owner

    def place(self, node: ast.AST) -> Scope:
        """The scope that an identifier (a name, argument, definition, alias) is looked up in."""
        self.all_facts()
        return self._places[node]

    def variable(self, node: ast.Name) -> Scope:
        """The scope whose variable a name means; its kind is "module" for the top level and builtins."""
        return self.place(node).resolve(node.id)

    def means_global(self, node: ast.expr, name: str) -> bool:
        """Would a name that is written in the place of an attribute or a name mean the one of the top level?"""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and self.place(root).resolve(name).kind == "module"

    def scope(self, node: ast.AST) -> Scope:
        """The scope that a function, class or comprehension makes."""
        self.all_facts()
        return self._scopes[node]

    # Tables of the whole program

    def nodes(self, kind: type[Node]) -> list[Node]:
        """Every node of one class."""
        return self.table(
            f"nodes {kind.__name__}", lambda: [one for facts in self.all_facts() for one in facts.kinds.get(kind, ())]
        )

    @property
    def assignments(self) -> list[tuple[ast.Assign, list[Pair]]]:
        """The assignments that have `pairs`, with these."""
        return self.table("assignments", lambda: [*chain.from_iterable(one.assignments for one in self.all_facts())])

    @property
    def reads(self) -> dict[str, list[ast.Name]]:
        """Name of the top level or builtin -> each place that reads it."""
        return self._merged_lists("reads")

    @property
    def attributes(self) -> dict[str, list[ast.Attribute]]:
        """Attribute -> each `x.attribute`, read, stored or deleted."""
        return self._merged_lists("attributes")

    @property
    def writes(self) -> dict[str, list[ast.AST]]:
        """Name of the top level -> each node that binds it: in its statement, or in a function that declares it `global`."""
        return self.table("writes", self._find_writes)

    def _find_writes(self) -> dict[str, list[ast.AST]]:
        found: dict[str, list[ast.AST]] = {}
        for facts in self.all_facts():
            for name, nodes in facts.scope.bound.items():
                found.setdefault(name, []).extend(nodes)
        return found

    @property
    def global_names(self) -> frozenset[str]:
        """Names that some function declares `global`."""
        return self.table("globals", lambda: united(facts.scope.globals for facts in self.all_facts()))

    @property
    def bound_inside(self) -> frozenset[str]:
        """Variables of functions, classes and comprehensions: a name of the top level that is one may be shadowed."""
        return self.table("inside", lambda: united(facts.bound_inside for facts in self.all_facts()))

    @property
    def spellings(self) -> frozenset[str]:
        """Every word that names something."""
        return self.table("spellings", lambda: united(facts.spellings for facts in self.all_facts()))

    @property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The top level's classes by name."""
        return self.table("classes", lambda: {node.name: node for node in self.body if isinstance(node, ast.ClassDef)})

    @property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """The top level's functions by name."""
        return self.table(
            "functions", lambda: {node.name: node for node in self.body if isinstance(node, ast.FunctionDef)}
        )

    @property
    def members(self) -> dict[str, list[ast.stmt]]:
        """Member -> the lines of classes' bodies that define it."""
        return self.table("members", self._find_members)

    def _find_members(self) -> dict[str, list[ast.stmt]]:
        found: dict[str, list[ast.stmt]] = {}
        for facts in self.all_facts():
            for name, line in facts.members:
                found.setdefault(name, []).append(line)
        return found

    @property
    def main(self) -> ast.If | None:
        """The block of `if __name__ == "__main__":` that the program ends with."""
        last = self.statements[-1].node if self.statements else None
        return last if isinstance(last, ast.If) and is_main_block(last) else None

    @property
    def visibility(self) -> Visibility:
        """What of the program is visible from outside.

        What is not stays so while passes move, rename and drop code, so that they look again only when statements went.
        """
        if self._visibility is None:
            self.all_facts()
            stores = {name: self.facts(node).table("stores", _own_stores) for name, node in self.classes.items()}
            self._visibility = Visibility(self.nodes, self.attributes, self.classes, stores, self.writes, self._places)
        return self._visibility

    @property
    def own(self) -> frozenset[str]:
        """Attributes that are certainly the program's own."""
        return self.visibility.own

    def is_constant(self, name: str) -> bool:
        """Is a name of the top level bound once and for all, or a builtin?"""
        writes = self.writes.get(name, [])
        return (len(writes) == 1 or (not writes and name in BUILTINS)) and name not in self.global_names

    def call_of(self, node: ast.AST) -> ast.Call | None:
        """The call whose function is this expression, if one is."""
        above = self.parent(node)
        return above if isinstance(above, ast.Call) and above.func is node else None

    def calls(self, uses: Iterable[ast.AST]) -> list[ast.Call] | None:
        """The calls of what these expressions are; None where one of them is used in another way, so that not all are known."""
        calls = [self.call_of(use) for use in uses]
        return None if None in calls else [call for call in calls if call is not None]

    # How tables are put together

    def table(self, key: str, make: Callable[[], Table]) -> Table:
        """What `make` gives, kept under a name until the program changes."""
        if key not in self._tables:
            self._tables[key] = make()
        table: Table = self._tables[key]
        return table

    def _merged_lists(self, name: str) -> dict[str, list[Any]]:
        return self.table(name, lambda: merged_lists(getattr(facts, name) for facts in self.all_facts()))


def _own_stores(facts: Facts) -> list[ast.Attribute]:
    return list(own_stores(facts.node)) if isinstance(facts.node, ast.ClassDef) else []
