"""Dead store elimination: variables and attributes that nothing reads are not stored, methods that nothing asks for go.

    def step(x):                       def step(x):
        rate, unread = x.rate, 3  ->       rate = x.rate
        return rate                        return rate

No value that they are given may have to be evaluated. Either all assignments to a variable go or none: a later one may be what
lets go of something large that an earlier one gave.
"""

from __future__ import annotations

import ast

from pgolf.bundle.effects import Effects
from pgolf.bundle.names import Scope
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.syntax import Pair, assignment
from pgolf.bundle.trees import by_attribute


def eliminate_dead_stores(program: Program) -> None:
    """Drop assignments until none is dead: without one, the variable that it read may be read no more."""
    while _eliminate(program):
        pass


def _eliminate(program: Program) -> bool:
    """One round; False if there was nothing to drop."""
    effects = Effects(program)
    lines: dict[ast.Assign, list[Pair]] = {}
    dead = _dead_targets(program, effects)
    for line, stored in program.assignments if dead else ():
        kept = [pair for pair in stored if pair[0] not in dead]
        if len(kept) < len(stored):
            lines[line] = kept
    methods = _unread_methods(program, effects)
    idle = [branch for branch in program.nodes(ast.If) if _is_idle(branch, effects)]
    for store, left in lines.items():
        program.put(store, assignment(left, store))
    for branch in idle:
        program.put(branch, ast.Pass())
    for method in methods:
        program.put(method)
    if dead:
        forget_globals(program)
    return bool(dead or idle or methods)


def _unread_methods(program: Program, effects: Effects) -> list[ast.FunctionDef]:
    """Methods of a name that is the program's own and that it never mentions, where nobody could miss them."""
    unread = [name for name in program.own if name not in program.attributes] if not effects.observes_absence else []
    lines = [line for name in sorted(unread) for line in program.members.get(name, [])]
    return [line for line in lines if isinstance(line, ast.FunctionDef) and not line.decorator_list]


def _is_idle(branch: ast.If, effects: Effects) -> bool:
    """`if x.y: pass`."""
    test = branch.test.operand if isinstance(branch.test, ast.UnaryOp) else branch.test
    idle = all(isinstance(line, ast.Pass) for line in branch.body) and not branch.orelse
    return idle and isinstance(test, ast.Attribute) and effects.is_droppable(test)


def _dead_targets(program: Program, effects: Effects) -> set[ast.expr]:
    """The targets of assignments to variables and attributes that nobody reads, where every value may go."""
    # What the top level itself assigns goes by tree shaking.
    top = set(program.body)
    inside = [stored for line, stored in program.assignments if line not in top]
    targets = [target for stored in inside for target, value in stored if effects.is_droppable(value)]
    dead = _dead_variables(program, [target for target in targets if isinstance(target, ast.Name)])
    chains = [target for target in targets if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)]
    stored = by_attribute(chains) if not effects.observes_absence else {}
    for name in program.own.intersection(stored).difference(program.members):
        if len(stored[name]) == len(program.attributes[name]):
            dead.update(stored[name])
    return dead


def _dead_variables(program: Program, targets: list[ast.Name]) -> set[ast.expr]:
    """Those that nothing reads, where these are all that bind them."""
    variables: dict[tuple[Scope | None, str], list[ast.Name]] = {}
    for target in targets:
        place = program.place(target)
        variables.setdefault((place if place.kind != "module" else None, target.id), []).append(target)
    dead: set[ast.expr] = set()
    for (scope, name), found in variables.items():
        if len(found) == len(_bindings(program, scope, name)) and not _is_read(program, scope, name):
            dead.update(found)
    return dead


def _bindings(program: Program, owner: Scope | None, name: str) -> list[ast.AST]:
    """Every node that binds a variable of a function, or one of the top level that functions bind."""
    if owner is None:
        return program.writes[name] if name in program.global_names else []
    return owner.bound[name] if owner.kind == "function" else []


def _is_read(program: Program, owner: Scope | None, name: str) -> bool:
    """Does something read a variable, or may a function inside bind it?"""
    if owner is None:
        return name in program.reads
    return bool(owner.reads_inside(name)) or any(name in inner.nonlocals for inner in owner.walk())


def forget_globals(program: Program) -> None:
    """Take names that nothing binds any more out of every `global`."""
    for line in program.nodes(ast.Global):
        names = [name for name in line.names if name in program.writes]
        if len(names) < len(line.names):
            line.names = names
            program.changed(line)
            if not names:
                program.put(line)


DEAD_STORES = Pass(
    "dead-store-elimination",
    eliminate_dead_stores,
    requires="nothing",
    ensures="each variable and attribute that is only ever given droppable values by assignments in functions is read",
)
