"""Specialize: what the recipe decides is written into the program, and what then has no purpose goes.

`substitute` puts the two records' fields in; the passes of `PLAN` then change the whole program, one after the other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pgolf.bundle.link import Flat, Owned, bound_names
from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.names import global_reads, reads_of, scopes, words_of
from pgolf.bundle.shake import reached
from pgolf.bundle.source import compiles
from pgolf.bundle.specialize.constants import constants
from pgolf.bundle.specialize.dissolve import dissolve
from pgolf.bundle.specialize.flatten import flatten
from pgolf.bundle.specialize.inline import inline
from pgolf.bundle.specialize.once import promote
from pgolf.bundle.specialize.prune import prune
from pgolf.bundle.specialize.records import trim
from pgolf.bundle.specialize.solo import solo
from pgolf.bundle.specialize.spread import spread
from pgolf.bundle.specialize.substitute import substitute
from pgolf.bundle.specialize.unread import drop_unread
from pgolf.errors import PgolfError

Pass = Callable[[ast.Module], bool]
Owners = dict[ast.stmt, str]

PASSES: tuple[Pass, ...] = (constants, inline)
"""Those that a caller may leave out."""
PLAN = (
    "dissolve spread promote spread solo flatten",
    "constants prune spread flatten constants spread inline",
    "drop_unread constants inline prune",
)
"""The order of the passes, found by measuring bytes and time: each makes work for others, and most see less once functions are
written out in others. What nothing reaches goes before each line, so that it counts as no use. To go on until no pass finds
anything takes half as long again and saves nothing.
"""


def specialize(flat: Flat, passes: Sequence[Pass] = PASSES) -> Flat:
    """The program with its settings as literals and without the code that they rule out.

    Raises:
        PgolfError: PG401, when the result is not what the stage promises.
    """
    put_in, known = substitute(flat)
    result = settle(put_in, passes)
    check(flat, result, known.functions)
    return result


def settle(flat: Flat, passes: Sequence[Pass]) -> Flat:
    """Run the plan."""
    chosen = {run.__name__: run for run in passes}
    for line in PLAN:
        flat = reached(flat)
        tree = ast.Module(body=[item.node for item in flat.statements], type_ignores=[])
        owners = {item.node: item.owner for item in flat.statements}
        for name in line.split():
            _run(name, tree, owners, chosen)
        flat = Flat(tuple(Owned(owners[node], node) for node in tree.body))
    return trim(reached(flat))


def _run(name: str, tree: ast.Module, owners: Owners, chosen: Mapping[str, Pass]) -> None:
    """One pass. A statement that it adds belongs to the module of the one it says so for."""
    if name in OWNING:
        OWNING[name](tree, owners)
    elif name in SIMPLE:
        SIMPLE[name](tree)
    elif name in chosen:
        chosen[name](tree)


OWNING: Mapping[str, Callable[[ast.Module, Owners], bool]] = {"dissolve": dissolve, "solo": solo, "flatten": flatten}
SIMPLE: Mapping[str, Callable[[ast.Module], object]] = {
    "drop_unread": drop_unread,
    "promote": promote,
    "prune": prune,
    "spread": spread,
}


@dataclass(frozen=True)
class _Words:
    """A top-level statement's words: `reads` are of the top level, `inner` are variables of its functions and classes."""

    node: ast.stmt
    bound: tuple[str, ...]
    reads: frozenset[str]
    inner: frozenset[str]
    words: frozenset[str]
    written: frozenset[str]


def _words(flat: Flat) -> list[_Words]:
    """Look at each statement once."""
    found: list[_Words] = []
    for node in [item.node for item in flat.statements]:
        top, _ = scopes(node)
        inner = frozenset(name for scope in top.walk() if scope is not top for name in scope.bound)
        found.append(
            _Words(node, bound_names(node), reads_of(top), inner, frozenset(words_of(top)), frozenset(top.globals))
        )
    return found


def check(before: Flat, after: Flat, functions: frozenset[str] = frozenset()) -> None:
    """The stage's own check: it declares what was there or new names, no variable became a global one, and it parses.

    Args:
        functions: names that may be new in a statement, because fields were replaced by them.

    Raises:
        PgolfError: PG401.
    """
    old, new = _words(before), _words(after)
    words = frozenset[str]().union(*(item.words for item in old))
    _check_declared([item.bound for item in old], [item.bound for item in new], words)
    olds = {item.bound: item for item in old}
    known = functions.union(*(item.reads for item in olds.values()))
    declared = {name for item in new for name in item.bound}
    written = frozenset[str]().union(*(item.written for item in new))
    fresh = (declared | written) - words
    for item in new:
        introduced = item.reads - fresh
        wrong = introduced - known
        if item.bound in olds:
            was = olds[item.bound]
            wrong |= (introduced - was.reads - functions) & was.inner
            wrong -= _read_below(before, was.node) if wrong else set()
        if wrong:
            where = ", ".join(item.bound) or "the main block"
            raise PgolfError("PG401", f"specialize made {', '.join(sorted(wrong))} a global name in {where}")
    unknown = frozenset[str]().union(*(item.reads for item in new)) - declared - BUILTINS - written
    if unknown:
        raise PgolfError("PG401", f"specialize left names without a definition: {', '.join(sorted(unknown))}")
    try:
        compiles(after.text, "the specialized text")
    except SyntaxError as error:
        raise PgolfError("PG401", f"specialize made something that does not compile: {error}") from error


def _check_declared(old: list[tuple[str, ...]], new: list[tuple[str, ...]], words: frozenset[str]) -> None:
    """What is left stands in its old order, and what is added has names that the program had no word for.

    Raises:
        PgolfError: PG401.
    """
    there = set(old)
    rest = iter(old)
    ordered = all(any(names == other for other in rest) for names in new if names in there)
    added = [name for names in new if names not in there for name in names]
    if not ordered or new.count(()) != old.count(()) or len(set(added)) < len(added) or words & set(added):
        raise PgolfError("PG401", "specialize changed what the top level declares")


def _read_below(before: Flat, node: ast.stmt) -> set[str]:
    """Top-level names that the functions read which a statement may come to call: they may be written out in it."""
    owners: dict[str, list[ast.stmt]] = {}
    for item in before.statements:
        body = item.node.body if isinstance(item.node, ast.ClassDef) else []
        methods = [f".{inner.name}" for inner in body if isinstance(inner, ast.FunctionDef)]
        for name in (*bound_names(item.node), *methods):
            owners.setdefault(name, []).append(item.node)
    seen: list[ast.stmt] = []
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.append(found)
            attributes = {f".{item.attr}" for item in ast.walk(found) if isinstance(item, ast.Attribute)}
            waiting += [other for name in global_reads(found) | attributes for other in owners.get(name, [])]
    return {name for found in seen for name in global_reads(found)}
