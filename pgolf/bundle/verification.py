"""What must be true after every pass: the top level keeps its order, no name is captured, no name is lost."""

from __future__ import annotations

from collections.abc import Sequence

from pgolf.bundle.facts import Facts
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
    words = frozenset[str]().union(*(facts.variables for facts in before))
    _verify_order([facts.bound for facts in before], [facts.bound for facts in after], words, name)
    known = frozenset[str]().union(*(facts.reads for facts in before))
    was = {facts.bound: facts for facts in before}
    declared = {one for facts in after for one in facts.bound} | program.global_names
    new = declared - words
    for facts in after:
        if facts in unchanged:
            continue
        introduced = facts.reads.keys() - new
        wrong = introduced - known
        if facts.bound in was:
            old = was[facts.bound]
            wrong |= (introduced - old.reads.keys()) & old.bound_inside
        if wrong:
            where = ", ".join(facts.bound) or "the main block"
            raise PgolfError("PG401", f"{name} made {', '.join(sorted(wrong))} a global name in {where}")
    lost = frozenset[str]().union(*(facts.reads for facts in after)) - declared - BUILTINS
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


def _verify_order(
    before: Sequence[tuple[str, ...]], after: Sequence[tuple[str, ...]], words: frozenset[str], name: str
) -> None:
    """What is left stands in its old order, and what is added has names that the program had no word for.

    Raises:
        PgolfError: PG401.
    """
    old = set(before)
    rest = iter(before)
    ordered = all(any(bound == other for other in rest) for bound in after if bound in old)
    added = [one for bound in after if bound not in old for one in bound]
    if not ordered or after.count(()) != before.count(()) or len(set(added)) < len(added) or words & set(added):
        raise PgolfError("PG401", f"{name} changed what the top level declares")
