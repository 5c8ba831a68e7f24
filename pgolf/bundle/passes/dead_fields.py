"""Dead field elimination: fields of the entry's records, and attributes of objects, that nothing reads are not stored.

    def __init__(self, width): self.width, self.unread = width, 4      ->      def __init__(self, width): self.width = width

An attribute goes where it is the program's own, so that no library reads it, nothing in the program reads one of its name, and
every store of it can go: what is stored later may be what lets go of something large that was stored before.
"""

from __future__ import annotations

import ast
from collections import Counter

from pgolf.bundle.effects import Effects
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.records import RECORDS, record_call, record_fields
from pgolf.bundle.syntax import Pair, assignment, binds_self, field_name, methods_of, pairs
from pgolf.bundle.trees import walk


def eliminate_dead_fields(program: Program) -> None:
    """Drop the stores of every such attribute, and such fields of the records."""
    _drop_attributes(program)
    for record in RECORDS:
        _drop_record_fields(program, record)


def _drop_attributes(program: Program) -> None:
    """Drop the stores of each own attribute that nothing reads, if all its stores may go."""
    unread = {name for name in program.own if name in program.attributes and not _is_read(program, name)}
    effects = Effects(program)
    lines: dict[ast.stmt, list[Pair]] = {}
    dead: Counter[str] = Counter()
    for method in _methods(program) if unread else ():
        for line in method.body:
            stored = [pair for pair in pairs(line) if _own_attribute(pair[0], method) in unread]
            idle = [pair for pair in stored if effects.is_droppable(pair[1])]
            if idle:
                lines[line] = idle
                dead.update(_own_attribute(target, method) for target, _ in idle)
    gone = {name for name, number in dead.items() if number == len(program.attributes[name])}
    for line, idle in lines.items():
        kept = [pair for pair in pairs(line) if pair not in idle or getattr(pair[0], "attr", "") not in gone]
        if len(kept) < len(pairs(line)):
            program.put(line, assignment(kept, line))


def _methods(program: Program) -> list[ast.FunctionDef]:
    """The methods whose first parameter is their object, whatever happens."""
    methods = [method for definition in program.classes.values() for method in methods_of(definition)]
    return [method for method in methods if binds_self(method)]


def _is_read(program: Program, name: str) -> bool:
    """Is an attribute of this name ever read? `x.name += 1` reads it too."""
    uses = program.attributes[name]
    return any(not isinstance(use.ctx, ast.Store) or isinstance(program.parent(use), ast.AugAssign) for use in uses)


def _own_attribute(target: ast.expr, method: ast.FunctionDef) -> str:
    """The x of `self.x` as a target, or an empty string."""
    own = isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    return target.attr if own and target.value.id == method.args.args[0].arg else ""  # type: ignore[attr-defined]


def _drop_record_fields(program: Program, record: str) -> None:
    """Drop fields whose value is no call and whose name no attribute and no text has."""
    call, definition = record_call(program, record), program.classes.get(RECORDS[record])
    if call is None or definition is None or any(methods_of(definition)):
        return
    fields, used = record_fields(program, record), program.visibility.words.union(program.attributes)
    dead = {name for name, value in fields.items() if name not in used and _makes_nothing(value)}
    if dead:
        call.keywords = [word for word in call.keywords if word.arg not in dead]
        definition.body = [line for line in definition.body if field_name(line) not in dead] or [ast.Pass()]
        program.changed(call)
        program.changed(definition)


def _makes_nothing(value: ast.expr) -> bool:
    return not any(isinstance(node, (ast.Call, ast.Await, ast.NamedExpr)) for node in walk(value))


DEAD_FIELDS = Pass(
    "dead-field-elimination",
    eliminate_dead_fields,
    requires="the program shows every use of the attributes that are its own",
    ensures="no method stores, in a line of its own body, a droppable value as an own attribute that nothing reads",
)
