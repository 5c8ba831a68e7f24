"""The pass manager: runs the passes of a plan over a program, one after the other, and checks what each has made."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pgolf.bundle.link import Flat
from pgolf.bundle.passes.constant_propagation import CONSTANT_PROPAGATION
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.passes.copy_propagation import COPY_PROPAGATION
from pgolf.bundle.passes.dead_arguments import DEAD_ARGUMENTS
from pgolf.bundle.passes.dead_stores import DEAD_STORES
from pgolf.bundle.passes.scalar_replacement import SCALAR_REPLACEMENT
from pgolf.bundle.passes.settings_specialization import SETTINGS_SPECIALIZATION
from pgolf.bundle.passes.tree_shaking import TREE_SHAKING
from pgolf.bundle.passes.unrolling import UNROLLING
from pgolf.bundle.passes.unshadowing import UNSHADOWING
from pgolf.bundle.program import Program
from pgolf.bundle.verification import verify, verify_text
from pgolf.errors import PgolfError

ROUND = (
    SCALAR_REPLACEMENT,
    COPY_PROPAGATION,
    CONSTANT_PROPAGATION,
    DEAD_ARGUMENTS,
    DEAD_STORES,
    TREE_SHAKING,
)
PLAN: tuple[Pass, ...] = (SETTINGS_SPECIALIZATION, TREE_SHAKING, UNROLLING, UNSHADOWING, *(ROUND * 8))
"""The passes in their order, found by measuring bytes and time. They end when all that would follow has changed nothing."""
VERIFY = "PGOLF_VERIFY_PASSES"
"""With this in the environment, the text after each pass is compiled too."""


def specialize(
    flat: Flat,
    plan: Sequence[Pass] = PLAN,
    *,
    stop_after: int | None = None,
    debug: bool | None = None,
    used_up: bool = False,
) -> Flat:
    """The program with its settings as literals and without the code that they rule out.

    Args:
        plan: the passes to run.
        stop_after: how many of them to run; all if None.
        used_up: whether nobody asks for the trees of `flat` after this.
        debug: whether each pass is checked alone; None to do what the environment says.

    Raises:
        PgolfError: PG401, with the name of the pass, when a result is not what the passes promise.
    """
    debug = bool(os.environ.get(VERIFY)) if debug is None else debug
    program = Program.of(flat, used_up)
    before = program.all_facts()
    idle: set[Pass] = set()
    for step, one in enumerate(plan[:stop_after], 1):
        changes = program.changes
        run(one, program)
        idle = set() if program.changes > changes else {*idle, one}
        if idle and idle >= {*plan[step:stop_after]}:
            break
        if idle:
            continue
        name = f"pass {step}, {one.name},"
        verify(name, before, program)
        before = program.all_facts()
        if debug:
            verify_text(name, program.flat)
    specialized = program.flat
    verify_text("specialize", specialized)
    return specialized


def shake(flat: Flat) -> Flat:
    """The program without what nothing needs, which is all that is left to do if every pass ran.

    Raises:
        PgolfError: PG401.
    """
    program = Program(flat.statements)
    before = program.all_facts()
    run(TREE_SHAKING, program)
    verify("shake", before, program)
    return program.flat if len(program.statements) < len(flat.statements) else flat


def run(one: Pass, program: Program) -> None:
    """Run a pass.

    Raises:
        PgolfError: PG401 for anything that goes wrong in it.
    """
    try:
        one.run(program)
    except PgolfError:
        raise
    except Exception as error:
        raise PgolfError("PG401", f"the pass {one.name} failed: {error!r}") from error
