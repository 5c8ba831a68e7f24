"""The two records that the entry builds, `Settings(...)` and `Program(...)`, and what their calls say.

Rule PG317 keeps the names `settings` and `program` for these records alone.
"""

from __future__ import annotations

import ast

from pgolf.bundle.program import Program
from pgolf.bundle.source import ENTRY
from pgolf.bundle.syntax import field_name

RECORDS = {"settings": "Settings", "program": "Program"}
"""Reserved name -> the class that the entry calls to build the one record of that name."""


def record_of(node: ast.expr) -> str:
    """The reserved name that an expression ends in (`settings`, `self.settings`, `SETTINGS`), or an empty string."""
    if isinstance(node, ast.Name):
        name = "settings" if node.id == "SETTINGS" else node.id
    else:
        name = node.attr if isinstance(node, ast.Attribute) else ""
    return name if name in RECORDS else ""


def record_call(program: Program, record: str) -> ast.Call | None:
    """The one call that builds a record, which names every field that it gives; None where it is not plain to see."""
    made = [
        call for call in program.nodes(ast.Call) if isinstance(call.func, ast.Name) and call.func.id == RECORDS[record]
    ]
    calls = [call for call in made if program.owner(program.statement(call)) == ENTRY]
    plain = len(calls) == 1 and not calls[0].args and all(word.arg is not None for word in calls[0].keywords)
    return calls[0] if plain else None


def record_fields(program: Program, record: str) -> dict[str, ast.expr]:
    """Field -> the expression it is built from: the call's argument, else the class's default."""
    call, definition = record_call(program, record), program.classes.get(RECORDS[record])
    if call is None or definition is None:
        return {}
    lines = [line for line in definition.body if isinstance(line, ast.AnnAssign)]
    values = {field_name(line): line.value for line in lines if line.value is not None}
    values.update({word.arg: word.value for word in call.keywords if word.arg})
    return {name: value for name, value in values.items() if name}


def field_reads(program: Program, record: str) -> dict[str, list[ast.Attribute]]:
    """Field -> every place that reads it off the record."""
    found: dict[str, list[ast.Attribute]] = {}
    for name, nodes in program.attributes.items():
        reads = [node for node in nodes if record_of(node.value) == record and isinstance(node.ctx, ast.Load)]
        if reads:
            found[name] = reads
    return found


def forget_record(program: Program, record: str) -> None:
    """Write None for `settings` and `x.settings` once no field of the record is read any more.

    The record is then only handed on (rule PG317), so that nobody sees the difference; what hands it on can go.
    """
    if field_reads(program, record):
        return
    names: list[ast.expr] = [node for node in program.nodes(ast.Name) if node.id == record]
    for node in [*names, *program.attributes.get(record, [])]:
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            program.put(node, ast.Constant(value=None))
