"""Unrolling: a loop over the components of a list hook becomes one call of each.

    for tap in program.apply_taps: tap(x, scalars)      ->      decay_matrix(x, scalars, weight_decay=0.095)

What the recipe gives a component then stands in a call, where the passes for constants see it. An object is made in front of
the function that builds the record, under a name of its own, so that it is a thing of the top level.
"""

from __future__ import annotations

import ast
from itertools import chain, product
from typing import NamedTuple

from pgolf.bundle.effects import Effects
from pgolf.bundle.literals import UNKNOWN, literal, value_of
from pgolf.bundle.names import copy_tree
from pgolf.bundle.passes.constant_folding import fold_constants
from pgolf.bundle.passes.construction import assign
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.records import field_reads, record_fields
from pgolf.bundle.source import ENTRY
from pgolf.bundle.trees import walk

MOST = 3
"""A longer list stays a loop: one more component costs a name there, and a whole body here."""


class _Component(NamedTuple):
    """What stands in the place of the loop's variable, and keywords that each call of it gets."""

    name: str
    keywords: tuple[ast.keyword, ...]


def unroll(program: Program) -> None:
    """Write out every loop over a tuple of components, and True where it is asked whether there are any."""
    effects = Effects(program)
    reads = field_reads(program, "program")
    for field, value in record_fields(program, "program").items():
        if isinstance(value, ast.Tuple) and value.elts:
            parts = [_component(program, effects, part) for part in value.elts]
            known = [part for part in parts if part is not None]
            for read in reads.get(field, []) if len(known) == len(parts) else []:
                _write(program, read, known)
    fold_constants(program)


def _component(program: Program, effects: Effects, part: ast.expr) -> _Component | None:
    """A function, a `partial` of one with literals, or an object that is now made at the top level."""
    if isinstance(part, ast.Name):
        return _Component(part.id, ()) if part.id in program.functions else None
    if not isinstance(part, ast.Call) or not isinstance(part.func, ast.Name) or not effects.only_makes(part):
        return None
    if part.func.id in effects.partials:
        function, words = part.args[0] if len(part.args) == 1 else None, part.keywords
        plain = all(word.arg and value_of(word.value) is not UNKNOWN for word in words)
        named = isinstance(function, ast.Name) and function.id in program.functions and plain
        return _Component(function.id, tuple(words)) if named and isinstance(function, ast.Name) else None
    name, place = program.fresh(part.func.id.lower()), program.statement(part)
    program.put(part, ast.Name(id=name, ctx=ast.Load()))
    program.insert(place, [assign(name, part)], ENTRY)
    return _Component(name, ())


def _write(program: Program, read: ast.Attribute, components: list[_Component]) -> None:
    """One place that reads the tuple."""
    above = program.parent(read)
    if isinstance(above, ast.For) and above.iter is read and _may_be_written(program, above, components):
        uses = set(program.place(above.target).reads_inside(getattr(above.target, "id", "")))
        program.put(above, *(_body(line, uses, one) for one, line in product(components, above.body)))
        return
    below: ast.AST = read
    while isinstance(above, (ast.BoolOp, ast.UnaryOp)):
        below, above = above, program.parent(above)
    if isinstance(above, (ast.If, ast.IfExp)) and above.test is below:
        program.put(read, literal(True, read))


def _may_be_written(program: Program, loop: ast.For, components: list[_Component]) -> bool:
    """Is a loop short, without a way out of it, and does nothing but its body read its variable, and call a `partial`?"""
    if not isinstance(loop.target, ast.Name) or not _is_short(loop, len(components)):
        return False
    scope = program.place(loop.target)
    uses = [use for use in scope.reads_inside(loop.target.id) if isinstance(use, ast.Name)]
    given = {str(word.arg) for word in chain.from_iterable(one.keywords for one in components)}
    return (
        scope.is_bound_once(loop.target.id)
        and set(chain.from_iterable(map(walk, loop.body))) >= {*uses}
        and all(program.means_global(use, one.name) for use, one in product(uses, components))
        and (not given or _takes_more(program, uses, given))
    )


def _is_short(loop: ast.For, count: int) -> bool:
    """May a body be written so often, and is it run to its end each time?"""
    inside = chain.from_iterable(map(walk, loop.body))
    leaves = bool(loop.orelse) or any(isinstance(node, (ast.Break, ast.Continue)) for node in inside)
    return not leaves and (count == 1 or (count <= MOST and len(loop.body) == 1))


def _takes_more(program: Program, uses: list[ast.Name], given: set[str]) -> bool:
    """Is the variable only called, and do the calls leave these keywords free?"""
    calls = program.calls(uses) or []
    words = chain.from_iterable(call.keywords for call in calls)
    return bool(calls) and all(word.arg and word.arg not in given for word in words)


def _body(line: ast.stmt, uses: set[ast.AST], component: _Component) -> ast.stmt:
    """A copy of a line with a component for the variable."""
    copy = copy_tree(line)
    for node, twin in zip(walk(line), walk(copy), strict=True):
        if isinstance(twin, ast.Call) and isinstance(node, ast.Call) and node.func in uses:
            twin.keywords += [copy_tree(word) for word in component.keywords]
        if isinstance(twin, ast.Name) and node in uses:
            twin.id = component.name
    return copy


UNROLLING = Pass(
    "unrolling",
    unroll,
    requires="the entry builds the record once (PG317); its tuples are gone over and asked for their truth",
    ensures="no loop goes over up to three components whose body is one statement, or over one",
)
