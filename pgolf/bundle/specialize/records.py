"""The two records that the entry builds: what their calls say, and which of their fields may go.

Rule PG317 keeps the names `settings` and `program` for these records alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.link import Flat, bound_names
from pgolf.bundle.shake import reached
from pgolf.bundle.source import ENTRY
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.trees import Transformer, walk

RECORDS = {"settings": "Settings", "program": "Program"}
"""Reserved name -> the class that the entry calls to build the one record of that name."""


@dataclass(frozen=True)
class Facts:
    """What the entry's calls say.

    Attributes:
        literals: record -> field -> the literal or the program's function to put in.
        components: fields of `program` that hold a component.
        functions: the names of the functions to put in.
        single: fields of `program` that hold a tuple of one function -> its name.
        declared: every top-level name.
    """

    literals: dict[str, dict[str, ast.expr]] = field(default_factory=dict)
    components: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    single: dict[str, ast.Name] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()


def facts(flat: Flat) -> Facts:
    """Read the entry's `Settings(...)` and `Program(...)`."""
    literals: dict[str, dict[str, ast.expr]] = {}
    defined = {item.node.name for item in flat.statements if isinstance(item.node, ast.FunctionDef)}
    for record, class_name in RECORDS.items():
        values = fields(flat, class_name)
        literals[record] = {name: node for name, node in values.items() if _fits(record, node, defined)}
    # What is left in `values` is the fields of `program`; a name in the entry's call is a function or class.
    single = {
        name: node.elts[0]
        for name, node in values.items()
        if isinstance(node, ast.Tuple) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Name)
    }
    single = {name: node for name, node in single.items() if node.id in defined}
    put_in = [node.id for node in (*literals["program"].values(), *single.values()) if isinstance(node, ast.Name)]
    components = {name for name, node in values.items() if isinstance(node, (ast.Call, ast.Name))}
    declared = frozenset(name for item in flat.statements for name in bound_names(item.node))
    return Facts(literals, frozenset(components), frozenset(put_in), single, declared)


def _fits(record: str, node: ast.expr, defined: set[str]) -> bool:
    if record == "settings":
        return value_of(node) is not UNKNOWN
    # An empty dict stays a field: one that is written to must remain one object.
    return value_of(node) in (None, ()) or (isinstance(node, ast.Name) and node.id in defined)


def record_calls(flat: Flat, class_name: str) -> list[tuple[int, ast.Call]]:
    """Every call of a record's class, and the place of the statement it is in."""
    return [
        (place, node)
        for place, item in enumerate(flat.statements)
        if item.owner == ENTRY
        for node in walk(item.node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == class_name
    ]


def record_class(flat: Flat, class_name: str) -> tuple[int, ast.ClassDef] | None:
    """A record's class, and the place of the statement it is."""
    for place, item in enumerate(flat.statements):
        if isinstance(item.node, ast.ClassDef) and item.node.name == class_name:
            return place, item.node
    return None


def fields(flat: Flat, class_name: str) -> dict[str, ast.expr]:
    """Field -> the expression it is built from: the only call's argument, else the class's default."""
    calls, definition = record_calls(flat, class_name), record_class(flat, class_name)
    if len(calls) != 1 or definition is None or calls[0][1].args:
        return {}
    values = {
        item.target.id: item.value
        for item in definition[1].body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.value is not None
    }
    values.update({keyword.arg: keyword.value for keyword in calls[0][1].keywords if keyword.arg})
    return values


def record_of(node: ast.expr) -> str:
    """The reserved name that an expression ends in (`settings`, `self.settings`, `SETTINGS`), or an empty string."""
    if isinstance(node, ast.Name):
        name = "settings" if node.id == "SETTINGS" else node.id
    else:
        name = node.attr if isinstance(node, ast.Attribute) else ""
    return name if name in RECORDS else ""


def forget(tree: ast.Module, record: str) -> None:
    """Write None for `settings` and `x.settings` once no field of the record is read any more.

    The record is then only handed on (rule PG317), so that nobody sees the difference; what hands it on can be pruned.
    """
    handing: list[ast.stmt] = []
    for statement in tree.body:
        named = [node for node in walk(statement) if isinstance(node, (ast.Name, ast.Attribute))]
        if any(isinstance(node, ast.Attribute) and record_of(node.value) == record for node in named):
            return
        if any((node.id if isinstance(node, ast.Name) else node.attr) == record for node in named):
            handing.append(statement)
    for statement in handing:
        _Forget(record).visit(statement)


class _Forget(Transformer):
    """Replaces reads of a variable or attribute."""

    def __init__(self, record: str):
        self.record = record

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == self.record and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(value=None), node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == self.record and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(value=None), node)
        return node


def trim(flat: Flat) -> Flat:
    """Drop fields of the two records that hold a literal and that no attribute names any more; all of `flat` is reached."""
    read = {node.attr for item in flat.statements for node in walk(item.node) if isinstance(node, ast.Attribute)}
    trimmed = False
    for class_name in RECORDS.values():
        given = fields(flat, class_name)
        definition = record_class(flat, class_name)
        if not given or definition is None or not _only_fields(definition[1]):
            continue
        dead = {name for name, node in given.items() if name not in read and _is_plain(node)}
        trimmed |= bool(dead)
        # These statements are this stage's own copies.
        call = record_calls(flat, class_name)[0][1]
        call.keywords = [keyword for keyword in call.keywords if keyword.arg not in dead]
        kept = [item for item in definition[1].body if field_name(item) not in dead]
        definition[1].body = kept or [ast.Pass()]
    return reached(Flat(flat.statements)) if trimmed else flat


def _only_fields(node: ast.ClassDef) -> bool:
    return all(isinstance(item, (ast.AnnAssign, ast.Expr, ast.Pass)) for item in node.body)


def field_name(node: ast.stmt) -> str:
    """The field that a statement of a record class declares, or an empty string."""
    return node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""


def _is_plain(node: ast.expr) -> bool:
    return not any(isinstance(item, ast.Call) for item in walk(node))
