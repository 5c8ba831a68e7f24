"""Where a function's calls are: the statement around each, what surrounds that, and which names are bound by then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.specialize.inline_view import View
from pgolf.bundle.trees import below, walk

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)
ELSEWHERE = (*BLOCKS, *FUNCTIONS)


@dataclass(frozen=True)
class Place:
    """One statement of a function.

    Attributes:
        block: the list of statements it stands in.
        bound: local names that certainly have a value when it begins.
        last: nothing of the function runs after it.
        guarded: it stands in a `try`, so that somebody may go on after an exception in it.
        held: code of a `with` or `finally` runs after a return in it.
    """

    statement: ast.stmt
    block: list[ast.stmt]
    bound: frozenset[str]
    last: bool = True
    guarded: bool = False
    held: bool = False


def places(function: ast.FunctionDef) -> Iterator[Place]:
    """Every statement of a function, not those of functions inside it."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    fragile = frozenset(_fragile(function))
    parameters = frozenset(item.arg for item in every if item is not None) - fragile
    yield from _in_block(function.body, Place(function, function.body, parameters), fragile)


def _fragile(function: ast.FunctionDef) -> Iterator[str]:
    """Names that lose their value again: by `del`, and those of exceptions."""
    waiting: list[ast.AST] = [function]
    for node in waiting:
        if isinstance(node, ast.Delete):
            yield from (item.id for item in walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Del))
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        waiting += [child for child in below(node) if isinstance(child, BLOCKS)]


def _in_block(block: list[ast.stmt], around: Place, fragile: frozenset[str]) -> Iterator[Place]:
    bound = around.bound
    for number, statement in enumerate(block):
        last = around.last and all(isinstance(item, ast.Pass) or returns_nothing(item) for item in block[number + 1 :])
        place = Place(statement, block, bound, last, around.guarded, around.held)
        yield place
        yield from _below(place, fragile)
        bound |= (binds([statement]) or frozenset()) - fragile


def returns_nothing(node: ast.stmt) -> bool:
    """Is a statement `return`, or `return None`?"""
    return isinstance(node, ast.Return) and (
        node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    )


def _below(place: Place, fragile: frozenset[str]) -> Iterator[Place]:
    """The places in a statement's own blocks."""
    node = place.statement
    if isinstance(node, ast.If):
        yield from _in_block(node.body, place, fragile)
        yield from _in_block(node.orelse, place, fragile)
    elif isinstance(node, LOOPS):
        targets = frozenset() if isinstance(node, ast.While) else _targets(node.target) - fragile
        yield from _in_block(node.body, replace(place, bound=place.bound | targets, last=False), fragile)
        yield from _in_block(node.orelse, replace(place, last=False), fragile)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        bound = place.bound | _with_targets(node) - fragile
        # A context manager may swallow an exception, so it guards as `try` does.
        yield from _in_block(node.body, replace(place, bound=bound, last=False, held=True, guarded=True), fragile)
    elif isinstance(node, ast.Try):
        inside = replace(place, last=False, guarded=True, held=place.held or bool(node.finalbody))
        for block in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.finalbody):
            yield from _in_block(block, inside, fragile)


def binds(block: list[ast.stmt]) -> frozenset[str] | None:
    """Names that certainly have a value where a block ends; None where it never ends that way."""
    bound: frozenset[str] = frozenset()
    for node in block:
        if isinstance(node, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            return None
        if isinstance(node, ast.If):
            branches = [item for item in (binds(node.body), binds(node.orelse)) if item is not None]
            if not branches:
                return None
            bound |= frozenset.intersection(*branches)
        elif isinstance(node, ast.Assign):
            bound |= frozenset().union(*(_targets(target) for target in node.targets))
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            bound |= _targets(node.target)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            bound |= _with_targets(node)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound |= {node.name}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return bound


def _targets(target: ast.expr) -> frozenset[str]:
    return frozenset(node.id for node in walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _with_targets(node: ast.With | ast.AsyncWith) -> frozenset[str]:
    return frozenset().union(*(_targets(item.optional_vars) for item in node.items if item.optional_vars is not None))


def head(statement: ast.stmt) -> ast.expr | None:
    """The expression that a statement evaluates first and once, if that is the first thing it does."""
    match statement:
        case ast.Assign() | ast.Expr() | ast.Return() | ast.AnnAssign():
            return statement.value
        case ast.AugAssign(target=ast.Name()):
            return statement.value
        case ast.If():
            return statement.test
        case ast.For():
            return statement.iter
        case ast.Raise():
            return statement.exc
        case ast.With():
            return statement.items[0].context_expr
    return None


def expressions(statement: ast.stmt) -> list[ast.AST]:
    """The nodes of a statement outside its own blocks and outside functions in it."""
    found: list[ast.AST] = [statement]
    for node in found:
        found += [child for child in below(node) if not isinstance(child, ELSEWHERE)]
    return found[1:]


def unsure(function: ast.FunctionDef) -> set[str]:
    """Variables that are read somewhere without certainly having a value: where they have none, that is an error."""
    return {
        node.id
        for place in places(function)
        for node in expressions(place.statement)
        if isinstance(node, ast.Name) and node.id not in place.bound
        if not isinstance(node.ctx, ast.Store) or isinstance(place.statement, ast.AugAssign)
    }


def divided(place: Place, call: ast.Call, seen: View) -> list[ast.stmt] | None:
    """`a, b = x, f(y)` as `a = x` and `b = f(y)`; None where it would not be the same, or nothing stands before the call.

    The targets must be variables that no closure reads, and that the values after them do not read either.
    """
    node = place.statement
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or place.guarded:
        return None
    targets, value = node.targets[0], node.value
    if not isinstance(targets, ast.Tuple) or not isinstance(value, ast.Tuple) or len(targets.elts) != len(value.elts):
        return None
    names = [item.id for item in targets.elts if isinstance(item, ast.Name)]
    number = next((number for number, item in enumerate(value.elts) if call in walk(item)), 0)
    later = {item.id for part in value.elts[number:] for item in walk(part) if isinstance(item, ast.Name)}
    starred = any(isinstance(item, ast.Starred) for item in value.elts)
    local = all(name in seen.scope.bound and name not in seen.captured for name in names)
    distinct = len({*names}) == len(targets.elts)
    if not number or starred or not local or not distinct or later.intersection(names[:number]):
        return None
    return [_assigned(node, targets, value, slice(number)), _assigned(node, targets, value, slice(number, None))]


def _assigned(node: ast.Assign, targets: ast.Tuple, value: ast.Tuple, part: slice) -> ast.stmt:
    left, right = targets.elts[part], value.elts[part]
    if len(left) == 1:
        made = ast.Assign(targets=left, value=right[0])
    else:
        made = ast.Assign(targets=[ast.Tuple(left, ast.Store())], value=ast.Tuple(right, ast.Load()))
    return ast.copy_location(made, node)
