"""Shake: drop every top-level statement and every imported name that nothing needs any more."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence

from pgolf.bundle.link import Flat, bound_names
from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.names import global_reads, written_globals
from pgolf.bundle.toplevel import operator_keys, registration
from pgolf.errors import PgolfError


def shake(flat: Flat) -> Flat:
    """The statements that those without a name (the main block) reach, in their order."""
    shaken = reached(flat)
    if shaken is not flat:
        check(flat, shaken)
    return shaken


def reached(flat: Flat) -> Flat:
    """What `shake` keeps, unchecked."""
    kept = reachable([item.node for item in flat.statements], bound_names, global_reads)
    statements = tuple(item for item in flat.statements if item.node in kept)
    return flat if len(statements) == len(flat.statements) else Flat(statements)


def reachable(
    nodes: Sequence[ast.stmt], bound: Callable[[ast.stmt], Iterable[str]], reads: Callable[[ast.stmt], Iterable[str]]
) -> set[ast.stmt]:
    """The statements that those without a name (the main block) reach.

    Args:
        bound: the names that a statement binds.
        reads: the names that it reads, now or later.
    """
    providers: dict[str, ast.stmt] = {}
    registered: dict[str, list[ast.stmt]] = {}
    for node in nodes:
        providers.update(dict.fromkeys(bound(node), node))
        key = registration(node)[0]
        if key:
            registered.setdefault(key, []).append(node)
    needed: set[ast.stmt] = set()
    waiting = [node for node in nodes if not bound(node)]
    while waiting:
        node = waiting.pop()
        if node in needed:
            continue
        needed.add(node)
        waiting += [providers[name] for name in reads(node) if name in providers]
        for key in operator_keys(node):
            waiting += registered.get(key, [])
    return needed


def check(before: Flat, after: Flat) -> None:
    """The stage's own check: a subsequence of what was there, and every used name is declared or built in.

    Raises:
        PgolfError: PG401.
    """
    rest = iter(before.statements)
    if not all(any(item is other for other in rest) for item in after.statements):
        raise PgolfError("PG401", "shake changed or moved a statement")
    if [item for item in before.statements if not bound_names(item.node)] != [
        item for item in after.statements if not bound_names(item.node)
    ]:
        raise PgolfError("PG401", "shake dropped a statement that runs")
    declared = {name for item in after.statements for name in bound_names(item.node)}
    missing = global_reads(ast.Module(body=[item.node for item in after.statements], type_ignores=[]))
    missing = missing - declared - BUILTINS - written_globals(after.tree)
    if missing:
        raise PgolfError("PG401", f"shake dropped names that are used: {', '.join(sorted(missing))}")
