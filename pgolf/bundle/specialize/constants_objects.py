"""What attributes of the program's objects hold, and which attribute names only they have."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from pgolf.bundle.minify.external_names import NAMES
from pgolf.bundle.minify.members import BY_TEXT, MAKERS, PLAIN_PACKAGES, SHOWING, is_record, kernel_attributes
from pgolf.bundle.names import is_imported
from pgolf.bundle.specialize.constants_cells import (
    ANYTHING,
    NOTHING,
    Anything,
    Cells,
    Items,
    Key,
    Literal,
    Made,
    OneOf,
    Option,
    Several,
    Value,
)
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.trees import walk

WORD = re.compile(r"\w+")


class Objects(Cells):
    """Follows attributes and what is in things."""

    def __init__(self, tree: ast.Module):
        super().__init__(tree)
        self.closed = self._closed_names()
        """Attribute names that only the program's own objects have, and only the program reads."""
        self.records = {name: _fields(node) for name, node in self.classes.items() if is_record(node)}
        self.constructions: dict[str, list[ast.Call]] = {name: [] for name in self.records}
        self.replaced: set[tuple[str, str]] = set()
        """(record, field) that a `_replace` gives."""
        self.constants: dict[ast.AST, Value] = {}
        self.values: dict[ast.AST, Value] = {}
        self.discarded: set[ast.AST] = set()
        """Calls whose result nobody takes."""

    def eval(self, node: ast.expr) -> Value:
        raise NotImplementedError

    def _closed_names(self) -> frozenset[str]:
        """None where attributes are found by text or a package is used whose attribute names are not known."""
        attributes = self.of_kind(ast.Attribute)
        if (
            self.of_kind(ast.MatchClass)
            or not SHOWING.isdisjoint({node.attr for node in attributes})
            or not {node.id for node in self.of_kind(ast.Name)}.isdisjoint(BY_TEXT)
            or not self._imports_are_known()
        ):
            return frozenset()
        defined = {node.attr for node in attributes if isinstance(node.ctx, ast.Store)}
        for item in (item for node in self.classes.values() for item in node.body):
            if isinstance(item, ast.FunctionDef):
                defined.add(item.name)
            elif isinstance(item, (ast.Assign, ast.AnnAssign)):
                defined.update(name.id for name in walk(item) if isinstance(name, ast.Name))
        defined -= NAMES
        other = {node.attr for node in attributes if node.attr in defined and is_imported(node, self.places)}
        other |= kernel_attributes(self.of_kind(ast.FunctionDef), attributes)
        for text in {node.value for node in self.of_kind(ast.Constant) if isinstance(node.value, str)}:
            if not re.search(r"\s", text):
                other.update(WORD.findall(text))
        return frozenset(name for name in defined - other if not name.startswith("_"))

    def _imports_are_known(self) -> bool:
        """Is only imported what has known attribute names, and nothing that finds attributes by text?"""
        modules = [alias.name for node in self.of_kind(ast.Import) for alias in node.names]
        modules += [node.module or "" for node in self.of_kind(ast.ImportFrom)]
        members = [alias.name for node in self.of_kind(ast.ImportFrom) for alias in node.names]
        return all(name.partition(".")[0] in PLAIN_PACKAGES for name in modules) and not {*MAKERS} & {*members}

    def constant(self, node: ast.expr) -> Value:
        """`constant`, once for each node."""
        if node not in self.constants:
            self.constants[node] = constant(node)
        return self.constants[node]

    def attribute(self, owner: Value, name: str) -> Value:
        """What `owner.name` holds."""
        if owner is None:
            return None
        if isinstance(owner, OneOf):
            return self.joined_values([self.attribute(item, name) for item in objects(owner)])
        if isinstance(owner, Made):
            if self.method(owner.name, name) is not None:
                self.release_method_of(owner.name, name)
                return ANYTHING
            outside = self.is_foreign(owner.name) or (self.is_open(owner.name) and owner.name not in self.records)
            if name not in self.closed and outside:
                return ANYTHING
            if name.startswith("_") or (owner.name in self.records and name not in self.records[owner.name]):
                self.release(owner)
                return ANYTHING
            keys: list[Key] = [(item, name) for item in self.ancestry(owner.name)]
            return self.joined([*keys, ("*", name)])
        if name not in self.closed:
            self.release(owner)
            return ANYTHING
        methods = self.methods_named(name)
        if methods:
            for method in methods:
                self.release_method(method)
            return ANYTHING
        return self.joined([*((item, name) for item in self.classes), ("*", name)])

    def joined(self, keys: list[Key]) -> Value:
        return self.joined_values([self.read(key) for key in keys])

    def joined_values(self, values: Iterable[Value]) -> Value:
        value: Value = None
        for item in values:
            if item is not None and item is not value:
                value = item if value is None else self.join(value, item)
        return value

    def release_method_of(self, name: str, attribute: str) -> None:
        """A method is taken as a value, or read as a property."""
        method = self.method(name, attribute)
        if method is not None:
            self.release_method(method)

    def store(self, owner: Value, name: str, value: Value) -> None:
        """`owner.name = value`."""
        if self.methods_named(name):
            self.release(value)
        if isinstance(owner, OneOf):
            for item in objects(owner):
                self.store(item, name, value)
            return
        if isinstance(owner, Made):
            self.write((owner.name, name), value)
            if self.is_foreign(owner.name) and name not in self.closed:
                self.release(value)
        elif owner is not None:
            self.release(owner)
            self.write(("*", name), value)
            if name not in self.closed:
                self.release(value)

    def open_definition(self, name: str) -> None:
        """A class is in others' hands, who may make objects."""
        self.seen.add(name)
        self.open_class(name)
        for field in self.records.get(name, ()):
            self.write((name, field), ANYTHING)
        for owner in self.ancestry(name):
            for item in self.classes[owner].body:
                if isinstance(item, ast.FunctionDef) and item.args.args:
                    self.release_method(item)
                    self.write((self.inner[item], item.args.args[0].arg), ANYTHING)

    def elements(self, value: Value) -> Value:
        """What iterating over a value gives."""
        if value is None or isinstance(value, Anything):
            return value
        if isinstance(value, Items):
            return self.read(value.key)
        if isinstance(value, OneOf):
            return self.joined_values([self.elements(item) for item in objects(value)])
        if isinstance(value, Several):
            return self.joined_values(value.values)
        if isinstance(value, Literal) and isinstance(value.value, tuple):
            return self.joined_values([Literal(repr(item), item) for item in value.value])
        self.release(value)
        return ANYTHING


def objects(value: OneOf) -> list[Option]:
    """The options other than None, of which an attribute, a call or an iteration makes an error."""
    return [item for item in value.options if item != NOTHING]


def constant(node: ast.expr) -> Value:
    """A literal's value."""
    value = value_of(node)
    return ANYTHING if value is UNKNOWN else Literal(repr(value), value)


def _fields(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    return {
        item.target.id: item.value
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
