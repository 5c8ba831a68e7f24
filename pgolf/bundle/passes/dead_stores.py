"""Dead store elimination: variables of functions that nothing reads are not assigned, where the value need not be evaluated.

    def step(x):                       def step(x):
        rate, unread = x.rate, 3  ->       rate = x.rate
        return rate                        return rate

A variable that is bound more than once stays: the second value may be what lets go of something large.
"""

from __future__ import annotations

import ast

from pgolf.bundle.effects import Effects
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import Pair, assignment, pairs


def eliminate_dead_stores(program: Program) -> None:
    """Drop assignments until none is dead: without one, the variable that it read may be read no more."""
    while _eliminate(program):
        pass


def _eliminate(program: Program) -> bool:
    """One round; False if there was nothing to drop."""
    effects = Effects(program)
    dead = [(line, stored) for line in program.nodes(ast.Assign) if (stored := _dead_pairs(program, line, effects))]
    idle = [branch for branch in program.nodes(ast.If) if _is_idle(branch, effects)]
    for line, gone in dead:
        program.put(line, assignment([pair for pair in pairs(line) if pair not in gone], line))
    for branch in idle:
        program.put(branch, ast.Pass())
    return bool(dead or idle)


def _is_idle(branch: ast.If, effects: Effects) -> bool:
    """`if x.y: pass`."""
    test = branch.test.operand if isinstance(branch.test, ast.UnaryOp) else branch.test
    idle = all(isinstance(line, ast.Pass) for line in branch.body) and not branch.orelse
    return idle and isinstance(test, ast.Attribute) and effects.is_droppable(test)


def _dead_pairs(program: Program, line: ast.stmt, effects: Effects) -> list[Pair]:
    """What an assignment stores in vain."""
    return [pair for pair in pairs(line) if _is_dead(program, pair, effects)]


def _is_dead(program: Program, pair: Pair, effects: Effects) -> bool:
    """Is this a variable of a function that nobody reads, and a value that need not be evaluated?"""
    target, value = pair
    if not isinstance(target, ast.Name):
        return False
    owner, name = program.place(target), target.id
    mine = owner.kind == "function" and owner.bound.get(name) == [target] and owner.is_bound_once(name)
    return mine and effects.is_droppable(value) and not owner.reads_inside(name)


DEAD_STORES = Pass(
    "dead-store-elimination",
    eliminate_dead_stores,
    requires="nothing",
    ensures="each variable of a function that is bound once, to a droppable value, is read",
)
