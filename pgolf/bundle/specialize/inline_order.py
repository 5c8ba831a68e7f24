"""In which order an expression evaluates its parts, and which parts may be evaluated at another moment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.minify.members import BY_TEXT, SHOWN_FIELDS, Survey, member_names, own_stores
from pgolf.bundle.names import COMPREHENSIONS, Scope
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.trees import below, walk


@dataclass(frozen=True)
class Facts:
    """What the whole program shows.

    Attributes:
        found: its survey; the scopes below the module's grow stale as functions change.
        steady: attributes that give the same value whenever they are read.
        own: class -> those of its `self` that do.
        held: attributes of the program that are not stored again, though other objects may have some of that name.
        stored: attributes that are stored anywhere.
        imported: top-level names of imports.
        loose: attributes are looked up or stored by text, so that none is known to be stored nowhere.
    """

    found: Survey
    steady: frozenset[str]
    own: dict[str, frozenset[str]]
    held: frozenset[str]
    stored: frozenset[str]
    imported: frozenset[str]
    loose: bool

    def count(self, name: str) -> int:
        """How often the top level binds a name; 0 for a builtin. A function that binds it may do so at any moment."""
        return len(self.found.scope.bound.get(name, ())) + (name in self.found.scope.globals)

    def is_builtin(self, name: str) -> bool:
        """Is this a builtin that the top level leaves alone?"""
        return name in BUILTINS and not self.count(name)


PLAIN = ("staticmethod", "classmethod", "no_grad", "inference_mode", "enable_grad")
"""Decorators under which reading a method runs no code of the program; that of a property does."""


def facts(tree: ast.Module, found: Survey) -> Facts:
    """Look at the whole program once."""
    stored: dict[str, set[ast.AST]] = {}
    again = loose = False
    for node in walk(tree):
        if isinstance(node, ast.Name):
            loose |= node.id in BY_TEXT
        elif isinstance(node, ast.Attribute):
            loose |= node.attr in SHOWN_FIELDS
            if not isinstance(node.ctx, ast.Load):
                stored.setdefault(node.attr, set()).add(node)
            again |= node.attr == "__init__" and not _is_super(node.value)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    declared = {name for node in classes.values() for item in node.body for name in member_names(item)}
    # A constructor that is called by name may store a second time.
    made = {} if again or loose else {name: _constructed(node, classes) for name, node in classes.items()}
    constructed: dict[str, set[ast.AST]] = {}
    for stores in made.values():
        for name, node in stores.items():
            constructed.setdefault(name, set()).add(node)
    once = {name for name, nodes in stored.items() if name not in declared and nodes == constructed.get(name)}
    computed = {
        item.name
        for node in classes.values()
        for item in node.body
        if isinstance(item, ast.FunctionDef) and any(last_name(mark) not in PLAIN for mark in item.decorator_list)
    }
    held = frozenset() if loose else frozenset((declared - stored.keys()) | once) - computed
    imported = {name for name, nodes in found.scope.bound.items() if all(isinstance(node, ast.alias) for node in nodes)}
    steady = frozenset(name for name in found.own if name not in stored or name in once) - computed
    mine = {name: set(own_stores(node)) for name, node in classes.items()} if made else {}
    own = {name: _own(classes[name], classes, stored, made, mine, declared) for name in made}
    return Facts(found, steady, own, held, frozenset(stored), frozenset(imported), loose)


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _constructed(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> dict[str, ast.AST]:
    """What a class's constructor stores once for each object: read before that, it would be an error."""
    if any(isinstance(base, ast.Name) and base.id in classes for base in node.bases):
        return {}
    made = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    inside = {item for method in made for line in method.body for item in _once(line)}
    mine = [item for item in own_stores(node) if item in inside]
    names = [item.attr for item in mine]
    return {item.attr: item for item in mine if names.count(item.attr) == 1}


def _own(
    node: ast.ClassDef,
    classes: dict[str, ast.ClassDef],
    stored: dict[str, set[ast.AST]],
    made: dict[str, dict[str, ast.AST]],
    stores: dict[str, set[ast.Attribute]],
    declared: set[str],
) -> frozenset[str]:
    """What a class's constructor stores once and nobody else: all other stores are methods' of other classes' objects."""
    related = any(
        isinstance(base, ast.Name) and base.id == node.name for item in classes.values() for base in item.bases
    )
    if related or node.bases or node.keywords:
        return frozenset()
    others = {store for name, found in stores.items() if name != node.name for store in found}
    return frozenset(
        name for name, store in made[node.name].items() if name not in declared and stored[name] - others == {store}
    )


def _once(statement: ast.stmt) -> Iterator[ast.AST]:
    """The targets of assignments that no loop repeats."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from walk(target)
    elif isinstance(statement, ast.If):
        for item in (*statement.body, *statement.orelse):
            yield from _once(item)


@dataclass(frozen=True)
class Moment:
    """One point of a function.

    Attributes:
        scope: the function's.
        bound: the locals that certainly have a value.
        receiver: its `self`, where it is a method of a class `made`.
    """

    facts: Facts
    places: dict[ast.AST, Scope]
    scope: Scope
    bound: frozenset[str]
    receiver: str = ""
    made: str = ""

    def is_steady(self, node: ast.expr) -> bool:
        """May an expression be evaluated at another moment, or twice, as long as this function binds nothing meanwhile?"""
        if isinstance(node, ast.Attribute):
            mine = isinstance(node.value, ast.Name) and node.value.id == self.receiver
            own = mine and node.attr in self.facts.own.get(self.made, ())
            return (own or node.attr in self.facts.steady) and self.is_steady(node.value)
        if not isinstance(node, ast.Name):
            return is_literal(node)
        owner = self.places[node].resolve(node.id)
        if owner.kind == "module":
            return self.facts.count(node.id) == 1 or self.facts.is_builtin(node.id)
        return owner.kind == "comprehension" or (owner is self.scope and node.id in self.bound)

    def is_function(self, node: ast.expr) -> bool:
        """Is this the same function whenever it is looked up: `x.method` of a steady `x`, where no `method` is stored?"""
        if not isinstance(node, ast.Attribute) or node.attr in self.facts.stored or self.facts.loose:
            return False
        return self.is_steady(node.value) or self.is_path(node.value)

    def is_path(self, node: ast.expr) -> bool:
        """Is this a module that an import gives, such as `torch.nn`?"""
        while isinstance(node, ast.Attribute) and node.attr not in self.facts.stored:
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.facts.imported:
            return False
        return self.places[node].resolve(node.id).kind == "module" and self.is_steady(node)


def is_literal(node: ast.expr) -> bool:
    """Is an expression a literal that costs nothing to evaluate again: not a tuple with something in it?"""
    return value_of(node) is not UNKNOWN and not (isinstance(node, ast.Tuple) and node.elts)


def before(root: ast.expr, target: ast.expr) -> list[ast.expr] | None:
    """What `root` evaluates before `target`, in order; None where it may not come to `target`, or more than once."""
    if root is target:
        return []
    done: list[ast.expr] = []
    for part in _parts(root):
        found = before(part, target)
        if found is not None:
            return done + found
        done.append(part)
    return None


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts that are always evaluated, once, in this order, before the expression itself does anything."""
    match node:
        case ast.Call():
            yield from (node.func, *node.args, *(keyword.value for keyword in node.keywords))
        case ast.BoolOp():
            yield node.values[0]
        case ast.Compare():
            yield from (node.left, node.comparators[0])
        case ast.IfExp():
            yield node.test
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                yield from (value,) if key is None else (key, value)
        case ast.Lambda() | ast.NamedExpr() | ast.Await() | ast.Yield() | ast.YieldFrom():
            return
        case _ if isinstance(node, COMPREHENSIONS):
            yield node.generators[0].iter
        case _:
            yield from (child for child in below(node) if isinstance(child, ast.expr))


def comes_first(root: ast.expr, targets: list[ast.expr], moment: Moment) -> bool:
    """Does `root` evaluate these parts once, in this order, and before the last of them nothing that could tell?"""
    early = before(root, targets[-1])
    if early is None:
        return False
    functions = {node.func for node in walk(root) if isinstance(node, ast.Call)}
    wanted = targets[:-1]
    for item in early:
        if wanted and item is wanted[0]:
            wanted = wanted[1:]
        elif not moment.is_steady(item) and not (item in functions and moment.is_function(item)):
            return False
    return not wanted
