"""Idle expressions: those that have no effect and mean the same whenever they are evaluated."""

from __future__ import annotations

import ast
import keyword
from collections import Counter
from collections.abc import Iterable

from pgolf.bundle.link import bound_names
from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.names import IDENTIFIERS, bound_name
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.syntax import binds_self, is_record, pairs
from pgolf.bundle.trees import Kinds, by_class, walk

COPIERS = ("deepcopy", "AveragedModel")
"""What copies an object with all that it holds; so does anything else of the module `copy`."""


class Idle:
    """What the top level defines, and which expressions of it are idle.

    Attributes:
        classes: every class by name.
        named: every top-level name that is bound once, and the builtins.

    Args:
        kinds: the nodes of the tree by their class, where the caller has them.
    """

    def __init__(self, tree: ast.Module, kinds: Kinds | None = None):
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        lines = (kinds or by_class(walk(tree)))[ast.Global]
        written = {name for node in lines for name in node.names}
        bound = Counter(name for node in tree.body for name in bound_names(node))
        self.named = {name for name, number in bound.items() if number == 1} - written | (BUILTINS - set(bound))
        self.partial = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "functools"
            for alias in node.names
            if alias.name == "partial"
        }

    def is_idle(self, node: ast.expr, parameters: frozenset[str] = frozenset()) -> bool:
        """Literals, top-level names, parameters, containers of these, and what a constructor stores them in."""
        if isinstance(node, (ast.Tuple, ast.List)):
            return all(self.is_idle(item, parameters) for item in node.elts)
        if isinstance(node, ast.Dict):
            keys = [key for key in node.keys if key is not None and value_of(key) is not UNKNOWN]
            return len(keys) == len(node.keys) and all(self.is_idle(item, parameters) for item in node.values)
        if isinstance(node, ast.Name):
            return node.id in parameters or node.id in self.named
        if isinstance(node, ast.Call):
            return self.makes(node, parameters)
        return value_of(node) is not UNKNOWN

    def makes(self, node: ast.Call, parameters: frozenset[str]) -> bool:
        """Does a call only make a record, a `partial`, or an object whose constructor only stores?"""
        if not isinstance(node.func, ast.Name) or node.func.id in parameters or node.func.id not in self.named:
            return False
        values = [*node.args, *(item.value for item in node.keywords)]
        if None in [item.arg for item in node.keywords] or not all(self.is_idle(item, parameters) for item in values):
            return False
        definition = self.classes.get(node.func.id)
        if definition is None:
            return node.func.id in self.partial
        own = [item.name for item in definition.body if isinstance(item, ast.FunctionDef)]
        if is_record(definition):
            return not any(name.startswith("__") for name in own)
        return self.constructor(definition) is not None

    def constructor(self, node: ast.ClassDef) -> list[tuple[ast.Attribute, ast.expr]] | None:
        """What a class's constructor stores where, in order; None where it does more, or where the class is special."""
        own = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
        special = any(name.startswith("__") and name not in ("__init__", "__call__") for name in own)
        if node.bases or node.keywords or node.decorator_list or special:
            return None
        stores: list[tuple[ast.Attribute, ast.expr]] = []
        for method in [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]:
            if method.decorator_list or not binds_self(method):
                return None
            first, *rest = [argument.arg for argument in walk(method.args) if isinstance(argument, ast.arg)]
            for item in [item for item in method.body if not is_idle_line(item)]:
                found = pairs(item) if isinstance(item, ast.Assign) and len(item.targets) == 1 else []
                stored = [pair for pair in found if self._is_store(*pair, first, frozenset(rest), own)]
                if not found or len(stored) < len(found):
                    return None
                stores += [(target, value) for target, value in stored if isinstance(target, ast.Attribute)]
        return stores

    def _is_store(
        self, target: ast.expr, value: ast.expr, first: str, parameters: frozenset[str], own: list[str]
    ) -> bool:
        """`self.x = value`, where `x` is no member of the class."""
        is_own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first
        return (
            is_own and isinstance(target, ast.Attribute) and target.attr not in own and self.is_idle(value, parameters)
        )


def copies_objects(kinds: Kinds) -> bool:
    """May a library make a copy of an object with all that it holds? Then one thing may be there twice."""
    return (
        any(alias.name == "copy" for node in kinds[ast.Import] for alias in node.names)
        or any(node.module == "copy" for node in kinds[ast.ImportFrom])
        or any(alias.name in COPIERS for node in kinds[ast.ImportFrom] for alias in node.names)
        or any(node.attr in COPIERS for node in kinds[ast.Attribute])
    )


def is_idle_line(node: ast.stmt) -> bool:
    """A docstring or `pass`."""
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def spellings(tree: ast.AST) -> set[str]:
    """Every word that names something: a new name unlike all of them is renamed apart from them."""
    found: set[str | None] = set()
    for node in walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found.update((node.name, bound_name(node)))
        elif node.__class__ in IDENTIFIERS:
            found.add(getattr(node, IDENTIFIERS[node.__class__]))
    return {name for name in found if name}


def fresh(wanted: str, taken: set[str]) -> str:
    """A name like `wanted` that is not taken, and is from now on."""
    # What is left of `_` or `_1` without its underscores is no name.
    wanted = wanted if wanted.isidentifier() else f"value_{wanted}"
    name, number = wanted, 1
    while name in taken or name in BUILTINS or keyword.iskeyword(name):
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name


def calls_constructor(nodes: Iterable[ast.AST]) -> bool:
    """Is `x.__init__` used other than by `super()`? Then an object may be given its attributes again."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "__init__"
        and not (isinstance(node.value, ast.Call) and last_name(node.value.func) == "super")
        for node in nodes
    )
