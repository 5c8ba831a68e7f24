"""Dead argument elimination: drop parameters that a function does not read, and what its calls give for them.

    def scaled(x, unused): return x * 2 ... scaled(a, b.c)      ->      def scaled(x): return x * 2 ... scaled(a)

A parameter goes where every use of its function is a call in plain sight (`call_graph`), and what the calls give for it can go
unevaluated (`Effects.is_droppable`).
"""

from __future__ import annotations

import ast
from dataclasses import replace

from pgolf.bundle.effects import Effects
from pgolf.bundle.passes.call_graph import Callee, CallGraph, plain_functions
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import Signature, drop_parameter
from pgolf.errors import PgolfError


def eliminate_dead_arguments(program: Program) -> None:
    """Drop parameters until each is read: without an argument, the variable that it read may be read no more."""
    callees, effects = list(CallGraph(program).closed.values()), Effects(program)
    while dead := [(one, names) for one in callees if (names := _dead_parameters(program, one, effects))]:
        for callee, names in dead:
            _drop(callee, names)
            for node in (callee.node, *callee.calls):
                program.changed(node)
        callees = [_as_it_is(program, callee) for callee in callees]


def _as_it_is(program: Program, callee: Callee) -> Callee:
    """A closed function with what is left of its parameters, and of the places that read them."""
    signature, reads = plain_functions(program.facts(program.statement(callee.node)))[callee.node]
    return replace(callee, signature=signature, reads=reads)


def _dead_parameters(program: Program, callee: Callee, effects: Effects) -> list[str]:
    """Parameters that nothing reads and whose arguments may go."""
    arguments = callee.node.args
    if arguments.vararg is not None or arguments.kwarg is not None:
        return []
    unread = [name for name, reads in callee.reads.items() if not reads]
    given = {name: [callee.signature.given(call, name) for call in callee.calls] for name in unread}
    return [name for name in unread if all(value is None or effects.is_droppable(value) for value in given[name])]


def _drop(callee: Callee, names: list[str]) -> None:
    """Drop parameters of a function and their arguments in every call.

    Raises:
        PgolfError: PG401, where another argument would become another parameter's.
    """
    before = callee.signature
    skipped = len(Signature.of(callee.node).positional) - len(before.positional)
    for name in names:
        drop_parameter(callee.node.args, name)
    after = Signature.of(callee.node, skipped)
    for call in callee.calls:
        kept = {name: value for name, value in before.bound(call).items() if name not in names}
        placed = zip(before.positional, call.args, strict=False)
        call.args = [value for name, value in placed if name not in names]
        call.keywords = [word for word in call.keywords if word.arg not in names]
        if after.bound(call) != kept:
            raise PgolfError("PG401", f"an argument of {ast.unparse(call.func)} became another parameter's")


DEAD_ARGUMENTS = Pass(
    "dead-argument-elimination",
    eliminate_dead_arguments,
    requires="every call of a function that is only called shows what it gives",
    ensures="such a function reads each of its parameters, or a call gives for it what must be evaluated",
)
