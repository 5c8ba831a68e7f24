"""What must be true after every pass: the top level keeps its order, no name is captured, no name is lost."""

from __future__ import annotations

from collections.abc import Sequence

from pgolf.bundle.facts import Facts, united
from pgolf.bundle.link import Flat
from pgolf.bundle.meanings import BUILTINS
from pgolf.bundle.program import Program
from pgolf.bundle.source import compiles
from pgolf.errors import PgolfError


def verify(name: str, before: Sequence[Facts], program: Program) -> None:
    """Compare a program with what it was.

    Args:
        name: who changed it, for the error.
        before: `all_facts` of the program as it was.

    Raises:
        PgolfError: PG401.
    """
    after, unchanged = program.all_facts(), {*before}
    if [facts.bound for facts in before] != [facts.bound for facts in after]:
        _verify_order(before, after, name)
    was = {facts.bound: facts for facts in before}
    declared = {one for facts in after for one in facts.bound} | program.global_names
    fresh = declared.difference(*was)
    new = fresh - united(facts.variables for facts in before) if fresh else fresh
    changed = [facts for facts in after if facts not in unchanged]
    read = united(facts.reads for facts in before) if changed else fresh
    for facts in changed:
        old = was.get(facts.bound)
        added = facts.reads.keys() - new - (old.reads.keys() if old is not None else set())
        wrong = added - read | (added & old.bound_inside if old is not None else set())
        if wrong:
            where = ", ".join(facts.bound) or "the main block"
            raise PgolfError("PG401", f"{name} made {', '.join(sorted(wrong))} a global name in {where}")
    lost = program.reads.keys() - declared - BUILTINS
    if lost:
        raise PgolfError("PG401", f"{name} left names without a definition: {', '.join(sorted(lost))}")


def verify_text(name: str, flat: Flat) -> None:
    """Does a program compile, for the oldest Python too?

    Raises:
        PgolfError: PG401.
    """
    try:
        compiles(flat.text, "the specialized text")
    except SyntaxError as error:
        raise PgolfError("PG401", f"{name} made something that does not compile: {error}") from error


def _verify_order(before: Sequence[Facts], after: Sequence[Facts], name: str) -> None:
    """What is left stands in its old order, and what is added has names that the program had no word for.

    Raises:
        PgolfError: PG401.
    """
    old = {facts.bound for facts in before}
    rest = (facts.bound for facts in before)
    ordered = all(any(facts.bound == other for other in rest) for facts in after if facts.bound in old)
    added = [one for facts in after if facts.bound not in old for one in facts.bound]
    nameless = [sum(not facts.bound for facts in several) for several in (before, after)]
    known = united(facts.variables for facts in before) if added else frozenset()
    if not ordered or nameless[0] != nameless[1] or len(set(added)) < len(added) or known & set(added):
        raise PgolfError("PG401", f"{name} changed what the top level declares")
