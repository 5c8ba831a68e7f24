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
from typing import Any

from pgolf.bundle.minify.legality import Survey, survey
from pgolf.bundle.names import scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.idle import calls_constructor
from pgolf.bundle.specialize.propagate import assignment, drop_parameter, drop_store, pairs
from pgolf.bundle.specialize.prune_look import Look
from pgolf.bundle.syntax import Signature, binds_self, member_names
from pgolf.bundle.trees import Transformer, walk
from pgolf.bundle.visibility import EXTERNAL_NAMES, RECORD_NAMES
from pgolf.errors import PgolfError

PLAIN_DECORATORS = ("no_grad", "inference_mode")


@dataclass(frozen=True)
class _Target:
    """A function all of whose calls are known; the first `skipped` parameters are not given by them."""

    function: ast.FunctionDef
    skipped: int
    calls: tuple[ast.Call, ...]

    def parameters(self) -> list[str]:
        """Those that the calls give."""
        return [argument.arg for argument in self.function.args.args[self.skipped :]]


def prune(tree: ast.Module) -> None:
    """Change the tree in place."""
    while _drop(Look(tree, survey(tree, parameters=False))) and _may_go_on(tree):
        pass


def _drop(look: Look) -> bool:
    """One round; False if there was nothing to do."""
    stores, idle = _unread_stores(look), _DropIdle(look)
    for method, stored in stores:
        drop_store(method, stored)
        method.body = method.body or [ast.Pass()]
    if stores or idle.finds_any():
        idle.visit(look.tree)
        look.again()
    changed = bool(stores) or idle.changed
    for target in list(_targets(look)):
        changed |= _drop_parameters(target, look)
    return changed


def _may_go_on(tree: ast.Module) -> bool:
    """Would there be something to do if every attribute were the program's own? Only then is a survey worth its time.

    The more are its own, the more is plain and the more may be dropped, so nothing is overlooked.
    """
    scope, places = scopes(tree)
    look = Look(tree, Survey(scope, places, of_node={inner.node: inner for inner in scope.walk()}))
    names = {node.attr for node in look.of_kind(ast.Attribute)} | {node.name for node in look.of_kind(ast.FunctionDef)}
    look.found.own = frozenset(name for name in names - EXTERNAL_NAMES if not name.startswith("_"))
    return (
        bool(_unread_stores(look))
        or _DropIdle(look).finds_any()
        or any(next(_unread(target, look), "") for target in _targets(look))
    )


# Attributes


def _unread_stores(look: Look) -> list[tuple[ast.FunctionDef, ast.Attribute]]:
    """`self.x = value` where nothing in the program reads an attribute `x` and the value is plain."""
    attributes = look.of_kind(ast.Attribute)
    read = {node.attr for node in attributes if not isinstance(node.ctx, ast.Store)}
    read |= {node.target.attr for node in look.of_kind(ast.AugAssign) if isinstance(node.target, ast.Attribute)}
    found: list[tuple[ast.FunctionDef, ast.Attribute]] = []
    unread = look.found.own - read
    for node in look.classes.values() if unread else ():
        foreign = node.name in look.found.outside
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and binds_self(method):
                for target, value in _stores(method):
                    known = target.attr in unread and (not foreign or target.attr in RECORD_NAMES)
                    if known and look.is_plain(value):
                        found.append((method, target))
    # One that stays may store what is gone once another takes its place.
    stored = Counter(node.attr for node in attributes if not _is_read(node)) if found else Counter()
    dropped = Counter(target.attr for _, target in found)
    return [item for item in found if dropped[item[1].attr] == stored[item[1].attr]]


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

    def __init__(self, look: Look):
        self.look = look
        self.changed = False

    def finds_any(self) -> bool:
        """Is there something to drop?"""
        assigned = (node for node in self.look.of_kind(ast.Assign) if len(node.targets) == 1)
        return any(self.is_idle(*pair) for node in assigned for pair in pairs(node)) or any(
            map(self.is_idle_branch, self.look.of_kind(ast.If))
        )

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, ast.expr) else super().visit(node)

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
        if not isinstance(target, ast.Name):
            return False
        owner = self.look.found.places[target]
        if owner.kind != "function" or owner.bound[target.id] != [target] or not self.look.is_plain(value):
            return False
        return not any(
            target.id in inner.nonlocals or (target.id in inner.reads and inner.resolve(target.id) is owner)
            for inner in owner.walk()
        )

    def visit_If(self, node: ast.If) -> ast.stmt:
        self.generic_visit(node)
        if not self.is_idle_branch(node):
            return node
        self.changed = True
        return ast.copy_location(ast.Pass(), node)

    def is_idle_branch(self, node: ast.If) -> bool:
        test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
        idle = all(isinstance(item, ast.Pass) for item in node.body) and not node.orelse
        return idle and isinstance(test, ast.Attribute) and self.look.is_plain(test)


# Parameters


def _targets(look: Look) -> Iterator[_Target]:
    """Every function of which all calls are known."""
    names: dict[str, list[ast.AST]] = {}
    attributes: dict[str, list[ast.Attribute]] = {}
    for name in look.of_kind(ast.Name):
        names.setdefault(name.id, []).append(name)
    for attribute in look.of_kind(ast.Attribute):
        attributes.setdefault(attribute.attr, []).append(attribute)
    callers: dict[ast.AST, ast.Call] = {node.func: node for node in look.of_kind(ast.Call)}
    classes = [node for node in look.tree.body if isinstance(node, ast.ClassDef)]
    defined = Counter(name for node in classes for item in node.body for name in member_names(item))
    again = calls_constructor(attributes.get("__init__", []))
    for node in look.tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from _target(node, 0, names.get(node.name, []), callers)
        for item in node.body if isinstance(node, ast.ClassDef) else []:
            if not isinstance(item, ast.FunctionDef) or not binds_self(item):
                continue
            if item.name == "__init__" and isinstance(node, ast.ClassDef) and not again and _is_made_plainly(node):
                yield from _target(item, 1, names.get(node.name, []), callers)
            elif item.name in look.found.own and defined[item.name] == 1:
                uses = attributes.get(item.name, [])
                if not any(_is_class(use.value, look.found) for use in uses):
                    yield from _target(item, 1, list(uses), callers)


def _is_made_plainly(node: ast.ClassDef) -> bool:
    """Does calling the class call `__init__` with the same arguments, and nobody else's?"""
    plain = not node.keywords and not node.decorator_list
    return plain and [last_name(item) for item in node.bases] in ([], ["Module"])


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


def _drop_parameters(target: _Target, look: Look) -> bool:
    """Drop those that nothing reads; the survey's scopes must be of the tree as it was."""
    changed = False
    for name in _unread(target, look):
        parameters = target.parameters()
        for call in target.calls:
            value = _given(call, parameters, name)
            look.alive.difference_update(walk(value) if value is not None else ())
            _drop_argument(call, parameters, name)
        drop_parameter(target.function.args, name)
        changed = True
    return changed


def _unread(target: _Target, look: Look) -> Iterator[str]:
    """Parameters that may go, one after the other: each is looked for when those before are gone."""
    scope = look.found.of_node[target.function]
    checked = False
    for name in target.parameters():
        reads = [node for inner in scope.walk() for node in inner.reads.get(name, []) if inner.resolve(name) is scope]
        if not look.alive.isdisjoint(reads) or len(scope.bound[name]) != 1:
            continue
        if not checked and not all(map(Signature.of(target.function, target.skipped).takes, target.calls)):
            # A call is an error, and would be one no more.
            return
        checked = True
        parameters = target.parameters()
        given = [_given(call, parameters, name) for call in target.calls]
        if all(value is None or look.is_plain(value) for value in given):
            yield name


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
