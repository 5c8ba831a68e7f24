"""Shake: drop every top-level statement and every imported name that nothing needs any more."""

from __future__ import annotations

import ast

from pgolf.bundle.link import Flat, Owned, bound_names
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
    providers = {name: item for item in flat.statements for name in bound_names(item.node)}
    registered: dict[str, list[Owned]] = {}
    for item in flat.statements:
        if key := registration(item.node)[0]:
            registered.setdefault(key, []).append(item)
    kept: set[Owned] = set()
    queue = [item for item in flat.statements if not bound_names(item.node)]
    while queue:
        item = queue.pop()
        if item in kept:
            continue
        kept.add(item)
        queue += [providers[name] for name in sorted(global_reads(item.node)) if name in providers]
        queue += [other for key in operator_keys(item.node) for other in registered.get(key, ())]
    statements = tuple(item for item in flat.statements if item in kept)
    return flat if len(statements) == len(flat.statements) else Flat(statements)


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
