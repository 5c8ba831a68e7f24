"""Prune: drop parameters that a function no longer reads, and attributes that nothing reads, until none is left.

A parameter goes where every use of its function is a call that the program shows: a top-level function or a class that is
only ever called by name, or a method whose name one class of the program has and nothing outside does. What the calls gave
for it is dropped with it, so it must be something that can go unevaluated: literals, global names, parameters that are not
bound again, and attributes of these that the program stores.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pgolf.bundle.minify.members import RECORD_NAMES, Survey, is_foreign, survey
from pgolf.bundle.names import FUNCTIONS, Scope
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.constants_shapes import calls_constructor, may_take
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.specialize.propagate import assignment, drop_parameter, drop_store, pairs
from pgolf.bundle.trees import Transformer, walk
from pgolf.errors import PgolfError

PLAIN_DECORATORS = ("no_grad", "inference_mode")
OF_MODULES = ("training",)
"""Attributes that every module has, which the program reads."""


@dataclass(frozen=True)
class _Target:
    """A function all of whose calls are known; the first `skipped` parameters are not given by them."""

    function: ast.FunctionDef
    skipped: int
    calls: tuple[ast.Call, ...]


def prune(tree: ast.Module) -> None:
    """Change the tree in place."""
    changed = True
    while changed:
        found = survey(tree, parameters=False)
        changed = _drop_stores(tree, found)
        idle = _DropIdle(found)
        idle.visit(tree)
        changed |= idle.changed
        for target in list(_targets(tree, found)):
            changed |= _drop_parameters(target, found)


# Attributes


def _drop_stores(tree: ast.Module, found: Survey) -> bool:
    """Drop `self.x = value` where nothing in the program reads an attribute `x` and the value is plain."""
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    read = {node.attr for node in walk(tree) if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Store)}
    read |= {
        node.target.attr
        for node in walk(tree)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute)
    }
    found_stores: list[tuple[ast.FunctionDef, ast.Attribute]] = []
    for node in classes.values():
        foreign = is_foreign(node, classes)
        for method in [item for item in node.body if isinstance(item, ast.FunctionDef) and found.binds_self(item)]:
            for target, value in _stores(method):
                unread = target.attr in found.own - read and (not foreign or target.attr in RECORD_NAMES)
                if unread and _is_plain(value, found):
                    found_stores.append((method, target))
    # One that stays may store what is gone once another takes its place.
    stored = Counter(node.attr for node in walk(tree) if isinstance(node, ast.Attribute) and not _is_read(node))
    dropped = Counter(target.attr for _, target in found_stores)
    found_stores = [item for item in found_stores if dropped[item[1].attr] == stored[item[1].attr]]
    for method, target in found_stores:
        drop_store(method, target)
        method.body = method.body or [ast.Pass()]
    return bool(found_stores)


def _is_read(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def _stores(method: ast.FunctionDef) -> list[tuple[ast.Attribute, ast.expr]]:
    first = method.args.args[0].arg
    assigned = [
        pair for item in method.body if isinstance(item, ast.Assign) and len(item.targets) == 1 for pair in pairs(item)
    ]
    return [
        (target, value)
        for target, value in assigned
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first
    ]


class _DropIdle(Transformer):
    """Drops `name = value` of a function where nothing reads the name, and `if x.y: pass`."""

    def __init__(self, found: Survey):
        self.found = found
        self.changed = False

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        if len(node.targets) != 1:
            return node
        before = pairs(node)
        kept = [(target, value) for target, value in before if not self.is_idle(target, value)]
        if len(kept) == len(before):
            return node
        self.changed = True
        return assignment(kept, node)

    def is_idle(self, target: ast.expr, value: ast.expr) -> bool:
        if not isinstance(target, ast.Name) or not _is_plain(value, self.found):
            return False
        owner = self.found.places[target]
        read = any(
            target.id in inner.nonlocals or (target.id in inner.reads and inner.resolve(target.id) is owner)
            for inner in owner.walk()
        )
        return owner.kind == "function" and owner.bound[target.id] == [target] and not read

    def visit_If(self, node: ast.If) -> ast.stmt:
        self.generic_visit(node)
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        idle = all(isinstance(item, ast.Pass) for item in node.body) and not node.orelse
        if not idle or not isinstance(test, ast.Attribute) or not _is_plain(test, self.found):
            return node
        self.changed = True
        return ast.copy_location(ast.Pass(), node)


# Parameters


def _targets(tree: ast.Module, found: Survey) -> Iterator[_Target]:
    """Every function of which all calls are known."""
    names: dict[str, list[ast.AST]] = {}
    attributes: dict[str, list[ast.Attribute]] = {}
    callers: dict[ast.AST, ast.Call] = {}
    defined: dict[str, int] = {}
    for node in walk(tree):
        if isinstance(node, ast.Name):
            names.setdefault(node.id, []).append(node)
        elif isinstance(node, ast.Attribute):
            attributes.setdefault(node.attr, []).append(node)
        elif isinstance(node, ast.Call):
            callers[node.func] = node
    for node in tree.body:
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            for name in [item.name] if isinstance(item, ast.FunctionDef) else _assigned(item):
                defined[name] = defined.get(name, 0) + 1
    again = calls_constructor(attributes.get("__init__", []))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from _target(node, 0, names.get(node.name, []), callers)
        elif isinstance(node, ast.ClassDef):
            for item in [item for item in node.body if isinstance(item, ast.FunctionDef) and found.binds_self(item)]:
                if item.name == "__init__" and not (again or node.decorator_list) and _is_made_plainly(node):
                    yield from _target(item, 1, names.get(node.name, []), callers)
                elif item.name in found.own and defined[item.name] == 1:
                    uses = attributes.get(item.name, [])
                    if not any(_is_class(use.value, found) for use in uses):
                        yield from _target(item, 1, list(uses), callers)


def _assigned(node: ast.stmt) -> list[str]:
    return [item.id for item in walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)]


def _is_made_plainly(node: ast.ClassDef) -> bool:
    """Does calling the class call `__init__` with the same arguments, and nobody else's?"""
    return not node.keywords and [last_name(item) for item in node.bases] in ([], ["Module"])


def _is_class(node: ast.expr, found: Survey) -> bool:
    if not isinstance(node, ast.Name):
        return False
    bound = found.scope.bound.get(node.id, []) if found.global_name(node) else []
    return any(isinstance(item, ast.ClassDef) for item in bound)


def _target(
    function: ast.FunctionDef, skipped: int, uses: list[ast.AST], callers: dict[ast.AST, ast.Call]
) -> Iterator[_Target]:
    """The function with its calls, if these are all its uses and none of them hides arguments."""
    arguments = function.args
    calls = [callers[use] for use in uses if use in callers]
    plain = all(last_name(item) in PLAIN_DECORATORS for item in function.decorator_list)
    hidden = any(
        any(isinstance(item, ast.Starred) for item in call.args) or None in [item.arg for item in call.keywords]
        for call in calls
    )
    simple = not (arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg)
    if plain and simple and not hidden and len(calls) == len(uses):
        yield _Target(function, skipped, tuple(calls))


def _drop_parameters(target: _Target, found: Survey) -> bool:
    """Drop those that nothing reads; the survey's scopes must be of the tree as it is."""
    scope = found.of_node[target.function]
    changed = False
    if not all(may_take(target.function, call, target.skipped) for call in target.calls):
        # A call is an error, and would be one no more.
        return False
    nodes = set(walk(target.function))
    for name in [argument.arg for argument in target.function.args.args[target.skipped :]]:
        reads = [node for inner in scope.walk() for node in inner.reads.get(name, []) if inner.resolve(name) is scope]
        if nodes.intersection(reads) or len(scope.bound[name]) != 1:
            continue
        parameters = [argument.arg for argument in target.function.args.args[target.skipped :]]
        given = [_given(call, parameters, name) for call in target.calls]
        if all(value is None or _is_plain(value, found) for value in given):
            for call in target.calls:
                _drop_argument(call, parameters, name)
            drop_parameter(target.function.args, name)
            changed = True
    return changed


def _given(call: ast.Call, parameters: list[str], name: str) -> ast.expr | None:
    """What a call gives for a parameter."""
    return _bound(call, parameters).get(name)


def _bound(call: ast.Call, parameters: list[str]) -> dict[str | None, ast.expr]:
    by_position: dict[str | None, ast.expr] = dict(zip(parameters, call.args, strict=False))
    return by_position | {keyword.arg: keyword.value for keyword in call.keywords}


def _drop_argument(call: ast.Call, parameters: list[str], name: str) -> None:
    before = _bound(call, parameters)
    place = parameters.index(name)
    call.args = [item for index, item in enumerate(call.args) if index != place]
    call.keywords = [item for item in call.keywords if item.arg != name]
    before.pop(name, None)
    if _bound(call, [item for item in parameters if item != name]) != before:
        raise PgolfError("PG401", f"prune moved an argument of {ast.unparse(call.func)}")


def _is_plain(node: ast.expr, found: Survey) -> bool:
    """May an expression go unevaluated? Not an attribute that objects of libraries may lack, or a property: that is a call."""
    while isinstance(node, ast.Attribute):
        if node.attr not in (*found.own, *OF_MODULES) or node.attr in _decorated(found):
            return False
        node = node.value
    if not isinstance(node, ast.Name):
        return value_of(node) is not UNKNOWN
    place = found.places.get(node)
    if place is None:
        return False
    owner: Scope = place.resolve(node.id)
    bound = owner.bound.get(node.id, [])
    if owner.kind == "module":
        return len(bound) == 1
    return isinstance(owner.node, FUNCTIONS) and len(bound) == 1 and isinstance(bound[0], ast.arg)


def _decorated(found: Survey) -> set[str]:
    """Functions and methods with decorators, properties among them."""
    return {item.name for item in found.of_node if isinstance(item, ast.FunctionDef) and item.decorator_list}
