"""Walk, copy and change syntax trees fast: the bundler goes through the whole program dozens of times in one build.

`ast.walk` and `ast.NodeTransformer` look at every field of every node, most of which hold texts, numbers or operators. Here
the fields that can hold a node are looked up once for each class of node.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Kinds = defaultdict[type[ast.AST], list[Any]]
"""Class of node -> nodes; see `by_class`."""
Nodes = Callable[[type[ast.AST]], Collection[Any]]
"""Class of node -> its nodes in a program."""

_PLACES = ("lineno", "col_offset", "end_lineno", "end_col_offset")
_LEAVES = frozenset(
    ("identifier", "int", "string", "constant", "expr_context", "operator", "unaryop", "boolop", "cmpop", "type_ignore")
)
"""Types of fields that hold no node, or one without fields of its own."""
ONE, MANY, GAPS = range(3)
"""What a field holds: a node or nothing, nodes, or nodes with gaps that are None."""
Shape = tuple[tuple[str, int], ...]


class _Shapes(dict[type[ast.AST], Shape]):
    """Class of node -> its fields that hold nodes worth a visit; read from the grammar that each class has for a docstring."""

    def __missing__(self, kind: type[ast.AST]) -> Shape:
        types = {name: (base, mark) for base, mark, name in re.findall(r"(\w+)([?*]?) (\w+)", kind.__doc__ or "")}
        assert set(kind._fields) <= set(types), f"{kind.__name__} does not say what its fields are"
        gaps = (ast.Dict, ast.arguments)
        self[kind] = found = tuple(
            (name, ONE if types[name][1] != "*" else GAPS if name in ("keys", "kw_defaults") and kind in gaps else MANY)
            for name in kind._fields
            if types[name][0] not in _LEAVES
        )
        return found


SHAPES = _Shapes()


def walk(root: ast.AST) -> list[ast.AST]:
    """`root` and all nodes below it as they are now, in the order of `ast.walk`, without operators and contexts."""
    shapes = SHAPES
    found = [root]
    add = found.append
    for node in found:
        shape = shapes[node.__class__]
        values = node.__dict__ if shape else {}
        for name, holds in shape:
            value = values.get(name)
            if value is None:
                continue
            if holds == ONE:
                add(value)
            elif holds == MANY:
                found += value
            else:
                found += [item for item in value if item is not None]
    return found


def by_class(nodes: Iterable[ast.AST]) -> Kinds:
    """Class of node -> its nodes, in their order; nothing for any other class."""
    found: Kinds = defaultdict(list)
    for node in nodes:
        found[node.__class__].append(node)
    return found


def by_attribute(nodes: Iterable[ast.Attribute]) -> dict[str, list[ast.Attribute]]:
    """Attribute -> each `x.attribute`."""
    found: dict[str, list[ast.Attribute]] = {}
    for node in nodes:
        found.setdefault(node.attr, []).append(node)
    return found


def below(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, in the order of its fields."""
    found: list[ast.AST] = []
    for name, holds in SHAPES[node.__class__]:
        value = getattr(node, name, None)
        if value is not None:
            found += [value] if holds == ONE else [item for item in value if item is not None]
    return found


def index(root: ast.AST, found: dict[ast.AST, ast.AST]) -> Kinds:
    """Adds the node above each node below `root` to a table; gives the nodes of each class, `root` among them, as in `walk`."""
    kinds: Kinds = defaultdict(list)
    shapes = SHAPES
    waiting = [root]
    add = waiting.append
    for node in waiting:
        kind = node.__class__
        kinds[kind].append(node)
        shape = shapes[kind]
        values = node.__dict__ if shape else {}
        for name, holds in shape:
            value = values.get(name)
            if value is None:
                continue
            if holds == ONE:
                found[value] = node
                add(value)
                continue
            for item in value:
                if item is not None:
                    found[item] = node
                    add(item)
    return kinds


def parents(root: ast.AST) -> dict[ast.AST, ast.AST]:
    """The node above each node below `root`."""
    found: dict[ast.AST, ast.AST] = {}
    index(root, found)
    return found


class _Known(dict[type[ast.AST], frozenset[str]]):
    """Class of node -> the names of all its fields, and where it stands."""

    def __missing__(self, kind: type[ast.AST]) -> frozenset[str]:
        self[kind] = found = frozenset((*kind._fields, *_PLACES))
        return found


_KNOWN = _Known()
_LISTS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Global: ("names",),
    ast.Nonlocal: ("names",),
    ast.Compare: ("ops",),
    ast.MatchClass: ("kwd_attrs",),
    ast.Module: ("type_ignores",),
}
"""Fields that are lists of what is no node worth a visit."""


def copy_tree(node: Node) -> Node:
    """A copy of a syntax tree. Nodes without fields (`Load`, `Add`) are one object each in all trees, so they are shared.

    Not `copy.deepcopy`: python-minifier hangs attributes on those shared nodes, and with them every tree it ever saw.
    """
    kind = node.__class__
    if not kind._fields:
        return node
    copied = kind.__new__(kind)
    new = copied.__dict__
    new.update(node.__dict__)
    if not new.keys() <= _KNOWN[kind]:
        for name in new.keys() - _KNOWN[kind]:
            del new[name]
    for name in _LISTS.get(kind, ()):
        new[name] = list(new[name])
    for name, holds in SHAPES[kind]:
        value = new.get(name)
        if value is None:
            continue
        if holds == ONE:
            new[name] = copy_tree(value)
        else:
            new[name] = [copy_tree(item) if item is not None else None for item in value]
    return copied


class _Handlers(dict[type[ast.AST], Callable[..., Any]]):
    """Class of node -> the method that visits it, of one class of visitors."""

    def __init__(self, owner: type[Transformer]):
        super().__init__()
        self.owner = owner

    def __missing__(self, kind: type[ast.AST]) -> Callable[..., Any]:
        name = f"visit_{kind.__name__}"
        own = getattr(self.owner, name, None)
        # ast.NodeVisitor has a visit_Constant for the sake of classes that went away with Python 3.8.
        inherited = own is getattr(ast.NodeTransformer, name, None)
        self[kind] = found = self.owner.generic_visit if own is None or inherited else own
        return found


class Transformer(ast.NodeTransformer):
    """`ast.NodeTransformer`, except that it does not visit operators and contexts."""

    _handlers: _Handlers

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._handlers = _Handlers(cls)

    def visit(self, node: ast.AST) -> Any:
        """What stands for the node: a node, a list of statements, or None for nothing."""
        return self._handlers[node.__class__](self, node)

    def generic_visit(self, node: Node) -> Node:
        """Visit the nodes below and put what comes back in their places."""
        for name, holds in SHAPES[node.__class__]:
            value = getattr(node, name, None)
            if value is None:
                continue
            if holds != ONE:
                value[:] = self.visit_list(node, name, value)
                continue
            changed = self.visit(value)
            if changed is None:
                delattr(node, name)
            elif changed is not value:
                setattr(node, name, changed)
        return node

    def visit_list(self, node: ast.AST, name: str, items: list[Any]) -> list[Any]:
        """What stands for the nodes of one field."""
        found: list[Any] = []
        for item in items:
            changed = self.visit(item) if item is not None else None
            if changed.__class__ is list:
                found += changed
            elif changed is not None or item is None:
                found.append(changed)
        return found
