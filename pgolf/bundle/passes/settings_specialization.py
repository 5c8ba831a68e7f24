"""Settings specialization: what the recipe decides is written into the program, and what that decides is folded.

`settings.x` becomes the literal that the entry's `Settings(...)` gives; `program.x` becomes one where the entry's
`Program(...)` gives None or something empty, and a name where it gives a function of the program. Compilers call this partial
evaluation.

    if settings.tied and x is not None: f(settings.depth * 2)      ->      if x is not None: f(22)
"""

from __future__ import annotations

import ast

from pgolf.bundle.effects import can_hold
from pgolf.bundle.literals import UNKNOWN, literal, value_of
from pgolf.bundle.names import copy_tree
from pgolf.bundle.passes.constant_folding import fold_constants
from pgolf.bundle.passes.contract import Pass
from pgolf.bundle.program import Program
from pgolf.bundle.records import field_reads, forget_record, record_fields


def specialize_settings(program: Program) -> None:
    """Write every field in that is a literal or a function, where it may stand."""
    parts = record_fields(program, "program")
    components = {name for name, value in parts.items() if isinstance(value, (ast.Call, ast.Name))}
    _compare_components(program, components)
    # A function is there before the main block runs, and its name is bound once (rule PG304).
    functions = {name: value for name, value in parts.items() if getattr(value, "id", "") in program.functions}
    empty = {name: value for name, value in parts.items() if value_of(value) in (None, ())}
    settings = record_fields(program, "settings")
    for record, values in (("settings", settings), ("program", functions | empty)):
        reads = field_reads(program, record)
        for name in values.keys() & reads.keys():
            for node in [node for node in reads[name] if _fits(program, node, values[name])]:
                program.put(node, ast.copy_location(copy_tree(values[name]), node))
    if settings:
        forget_record(program, "settings")
    fold_constants(program)


def _fits(program: Program, node: ast.Attribute, value: ast.expr) -> bool:
    """May a field's value stand in the place of one read?"""
    if isinstance(value, ast.Name):
        return program.means_global(node, value.id)
    return value_of(value) is not UNKNOWN and can_hold(program, node, value)


def _compare_components(program: Program, components: set[str]) -> None:
    """`program.x is not None` is True where the field holds a component."""
    for name, reads in field_reads(program, "program").items():
        for read in reads if name in components else []:
            above = program.parent(read)
            if not isinstance(above, ast.Compare) or above.left is not read or len(above.ops) != 1:
                continue
            right, operator = above.comparators[0], above.ops[0]
            none = isinstance(right, ast.Constant) and right.value is None
            if none and isinstance(operator, (ast.Is, ast.IsNot)):
                program.put(above, literal(isinstance(operator, ast.IsNot), above))


SETTINGS_SPECIALIZATION = Pass(
    "settings-specialization",
    specialize_settings,
    requires="the entry builds each record once, by a call that names its fields, and nobody rebinds one (PG317)",
    ensures="a field that is a literal is read nowhere but beside `is` and in braces that cannot hold it",
)
