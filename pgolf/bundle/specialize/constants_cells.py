"""What variables, attributes, parameters, results and elements of the program may hold: one value, or anything.

A cell starts empty and only ever grows: nothing, then one value, then `ANYTHING`. Whatever leaves the part of the program
that is followed (handed to a library, mixed with something else) is released: from then on anyone may write into it.
"""

from __future__ import annotations

import ast
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pgolf.bundle.names import FUNCTIONS, FunctionNode, Scope, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.prune import PLAIN_DECORATORS
from pgolf.bundle.trees import Node, by_class, walk

Key = Hashable
CALLED_BY_PROGRAM = ("__init__", "__call__")
"""Methods with underscores that only a call in the program's text leads to; Python calls the others by itself."""
FOREIGN_ENTRIES = (*CALLED_BY_PROGRAM, "forward", "step")
"""Methods of a class with a library's base that the base does not call unless the program calls the object."""


@dataclass(frozen=True)
class Literal:
    """A literal; `text` tells 1 from True and from 1.0."""

    text: str
    value: Any = field(compare=False)


@dataclass(frozen=True)
class Made:
    """An object of a class of the program."""

    name: str


@dataclass(frozen=True)
class Known:
    """A function of the program."""

    function: FunctionNode


@dataclass(frozen=True)
class Items:
    """A list or iterable made at one place; its cell holds what iterating it gives."""

    key: Key


@dataclass(frozen=True)
class Several:
    """A tuple of so many values."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class OneOf:
    """One of these; no literal but None, and at most one `Items` or `Several`."""

    options: frozenset[Option]


@dataclass(frozen=True)
class Anything:
    """Something from outside, a released object, or a literal."""


Option = Literal | Made | Known | Items | Several | Anything
Value = Option | OneOf | None
"""None: no value so far; what has none in the end is never computed."""
ANYTHING = Anything()
NOTHING = Literal("None", None)


class Cells:
    """The cells, who reads them, and what the classes of the program are like."""

    def __init__(self, tree: ast.Module):
        self.kinds = by_class(walk(tree))
        self.scope, self.places = scopes(tree)
        self.inner = {scope.node: scope for scope in self.scope.walk()}
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.made = {name: Made(name) for name in self.classes}
        self.bases = {name: [last_name(base) for base in node.bases] for name, node in self.classes.items()}
        self.parents = {base for bases in self.bases.values() for base in bases if base in self.classes}
        known = {*self.classes, "NamedTuple"}
        lines = {name: list(self.ancestry(name)) for name in self.classes}
        self.foreign = {name for name, line in lines.items() if any(set(self.bases[item]) - known for item in line)}
        self.methods: dict[str, dict[str, ast.FunctionDef]] = {name: {} for name in self.classes}
        for name, line in lines.items():
            for node in (node for item in line for node in self.classes[item].body):
                if isinstance(node, ast.FunctionDef):
                    self.methods[name].setdefault(node.name, node)
        self.same_name: dict[str, list[ast.FunctionDef]] = defaultdict(list)
        for methods in self.methods.values():
            for attribute, method in methods.items():
                self.same_name[attribute].append(method)
        self.stored = {node.attr for node in self.of_kind(ast.Attribute) if not isinstance(node.ctx, ast.Load)}
        self.cells: dict[Key, Value] = {}
        self.readers: dict[Key, dict[ast.AST, None]] = defaultdict(dict)
        self.waiting: deque[ast.AST] = deque()
        self.queued: set[ast.AST] = set()
        self.changed: set[ast.AST] = set()
        """Lines that read a cell which has grown since."""
        self.units: dict[ast.AST, ast.AST] = {}
        """Line -> the function, or line of the module or a class, that it is in."""
        self.line: ast.AST = tree
        self.owner = ""
        """The class of the top level that this line is in."""
        self.released: set[Key] = set()
        self.open: set[str] = set()
        """Classes whose objects, or which themselves, are in others' hands."""
        self.seen: set[str] = set()
        """Records that are looked at as a tuple: unpacked, compared, tested, in others' hands."""
        self.loose: set[ast.AST] = set()
        """Functions with calls that are not in `calls`."""
        self.calls: dict[ast.AST, dict[ast.Call, int]] = {}
        """Function -> its calls, and how many parameters they do not give."""

    def of_kind(self, kind: type[Node]) -> list[Node]:
        """The program's nodes of one class."""
        return self.kinds.get(kind, [])

    # Cells

    def read(self, key: Key) -> Value:
        self.readers[key][self.line] = None
        return self.cells.get(key)

    def write(self, key: Key, value: Value) -> None:
        """Let a cell hold this value too."""
        old = self.cells.get(key)
        if value is None or value is old:
            return
        new = value if old is None else self.join(old, value)
        if new != old:
            self.cells[key] = new
            if key in self.released or (isinstance(key, tuple) and key[0] in self.open):
                self.release(new)
            self.wake(key)

    def wake(self, key: Key) -> None:
        """Go through the lines again that read a cell."""
        for line in self.readers.get(key, ()):
            self.changed.add(line)
            unit = self.units[line]
            if unit not in self.queued:
                self.queued.add(unit)
                self.waiting.append(unit)

    def join(self, left: Value, right: Value) -> Value:
        """What holds either."""
        if left is None or left is right:
            return right
        if right is None or left == right:
            return left
        if isinstance(left, Several) and isinstance(right, Several) and len(left.values) == len(right.values):
            return Several(tuple(self.join(*pair) for pair in zip(left.values, right.values, strict=True)))
        joined = options(left) | options(right)
        groups = {item for item in joined if isinstance(item, (Items, Several))}
        literals = {item for item in joined if isinstance(item, Literal)}
        if len(groups) > 1 or literals - {NOTHING} or ANYTHING in joined:
            # What is lost here must not come back later, so that cells only grow.
            for item in groups:
                self.release(item)
            joined = joined - literals - groups | {ANYTHING}
        return OneOf(joined) if len(joined) > 1 else ANYTHING

    # Release

    def release(self, value: Value) -> None:
        """A value is now in hands that are not followed."""
        if value is None or value is ANYTHING:
            return
        if isinstance(value, (Several, OneOf)):
            for item in value.values if isinstance(value, Several) else value.options:
                self.release(item)
        elif isinstance(value, Items):
            # What is in it goes along, and others may put in what they like.
            self.release_key(value.key)
            self.write(value.key, ANYTHING)
        elif isinstance(value, Known):
            self.release_function(value.function)
        elif isinstance(value, Made):
            self.see(value)
            self.open_class(value.name)

    def release_key(self, key: Key) -> None:
        if key not in self.released:
            self.released.add(key)
            self.release(self.cells.get(key))

    def release_function(self, function: FunctionNode) -> None:
        """Anyone may call it, with anything."""
        if function in self.loose and (function, "return") in self.released:
            return
        self.loose.add(function)
        self.release_key((function, "return"))
        scope = self.inner[function]
        for argument in _arguments(function):
            self.write((scope, argument.arg), ANYTHING)

    def open_class(self, name: str) -> None:
        """Its objects may have any of their methods called, and any of their attributes read and written."""
        if name in self.open:
            return
        self.open.add(name)
        for key, value in list(self.cells.items()):
            if isinstance(key, tuple) and key[0] == name:
                self.release(value)
        for owner in self.ancestry(name):
            for item in self.classes[owner].body:
                if isinstance(item, ast.FunctionDef) and item.name != "__init__":
                    self.release_method(item)
            if owner != name:
                self.open_class(owner)
        self.wake(("open", name))

    def release_method(self, method: ast.FunctionDef) -> None:
        """Release all but the object itself."""
        if (method, "return") in self.released:
            return
        self.loose.add(method)
        self.release_key((method, "return"))
        for argument in _arguments(method)[1:]:
            self.write((self.inner[method], argument.arg), ANYTHING)

    def is_open(self, name: str) -> bool:
        self.readers["open", name][self.line] = None
        return name in self.open

    def see(self, value: Value, deep: bool = False) -> None:
        """Somebody looks at a value as a whole, and at what it holds if `deep`."""
        if isinstance(value, Made):
            self.seen.add(value.name)
        elif isinstance(value, OneOf):
            for option in value.options:
                self.see(option, deep)
        elif isinstance(value, Several) and deep:
            for item in value.values:
                self.see(item, deep)
        elif isinstance(value, Items) and deep:
            self.release(self.read(value.key))

    # Classes

    def ancestry(self, name: str) -> Iterator[str]:
        """A class and its bases in the program."""
        yield name
        for base in self.bases[name]:
            if base in self.classes:
                yield from self.ancestry(base)

    def is_foreign(self, name: str) -> bool:
        """Is there a base outside the program, other than NamedTuple?"""
        return name in self.foreign

    def method(self, name: str, attribute: str) -> ast.FunctionDef | None:
        """The method that an object of the class has under a name."""
        return self.methods[name].get(attribute)

    def methods_named(self, attribute: str) -> list[ast.FunctionDef]:
        return self.same_name.get(attribute, [])


def options(value: Value) -> frozenset[Option]:
    """What a value may be."""
    return frozenset() if value is None else value.options if isinstance(value, OneOf) else frozenset([value])


def _arguments(function: FunctionNode) -> list[ast.arg]:
    arguments = function.args
    extra = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def is_followed(function: FunctionNode, scope: Scope) -> bool:
    """May a function's calls and results be followed: no decorator that changes it, no generator?"""
    decorators = getattr(function, "decorator_list", [])
    # A parameter by position alone may share its name with a keyword.
    plain = isinstance(function, FUNCTIONS) and not function.args.posonlyargs and not scope.yields
    return plain and all(last_name(item) in PLAIN_DECORATORS for item in decorators)
