"""Specialize: fields of the two records that the entry builds become literals, and what they decide is folded.

`settings.x` becomes the literal that the entry's `Settings(...)` gives; `program.x` becomes one where the entry's
`Program(...)` gives None or an empty tuple, and a name where it gives a function of the program. Rule PG317 keeps both
names for these records alone.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from pgolf.bundle.fold import SINGLETONS, UNKNOWN, Folder, is_empty, literal, spec_text, value_of
from pgolf.bundle.link import BUILTINS, Flat, Owned, bound_names
from pgolf.bundle.names import copy_tree, global_reads, scopes
from pgolf.bundle.propagate import propagate
from pgolf.bundle.prune import prune
from pgolf.bundle.shake import shake
from pgolf.bundle.source import ENTRY, compiles
from pgolf.errors import PgolfError

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
        for node in ast.walk(item.node)
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


class _Substitute(Folder):
    """Puts the literals in while folding. Inside an f-string a text is put in only where it dissolves.

    A function is put in where no scope of the statement binds its name. It is what the field holds, because a top-level name
    is bound once (rule PG304), and all of them are by the time the main block runs.
    """

    def __init__(self, known: Facts, statement: ast.stmt):
        self.known = known
        top, _ = scopes(statement)
        self.shadowed = {name for scope in top.walk() if scope is not top for name in scope.bound}
        self.around: list[ast.AST] = [statement]
        self.in_braces = False
        self.compared: list[ast.expr] = []

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        value = self.known.literals.get(record_of(node.value), {}).get(node.attr)
        if value is None or not isinstance(node.ctx, ast.Load):
            return node
        if isinstance(value, ast.Name) and value.id in self.shadowed:
            return node
        if self.in_braces and not isinstance(value_of(value), (bool, int, float)):
            return node
        if node in self.compared and not any(value_of(value) is single for single in SINGLETONS):
            return node
        return ast.copy_location(copy_tree(value), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        self.around.append(node)
        changed = super().visit_FunctionDef(node)
        self.around.pop()
        return changed

    def visit_For(self, node: ast.For) -> ast.stmt | list[ast.stmt]:
        """`for tap in program.taps: tap(x)` is `f(x)` where the field holds `(f,)`."""
        value = self.single_of(node.iter)
        if value is not None and isinstance(node.target, ast.Name) and self.runs_once(node, node.target):
            for item in node.body:
                _Rename(node.target.id, value.id).visit(item)
            return self.block(node.body)
        return super().visit_For(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """`tuple(x for y in ())` is `()`, where `tuple` is the builtin."""
        changed = super().visit_Call(node)
        inner = node.args[0] if len(node.args) == 1 and not node.keywords else None
        builtin = isinstance(node.func, ast.Name) and node.func.id == "tuple" not in self.shadowed | self.known.declared
        if builtin and isinstance(inner, ast.GeneratorExp) and is_empty(inner.generators[0].iter):
            return ast.copy_location(ast.Tuple(elts=[], ctx=ast.Load()), node)
        return changed

    def single_of(self, node: ast.expr) -> ast.Name | None:
        if isinstance(node, ast.Attribute) and record_of(node.value) == "program":
            value = self.known.single.get(node.attr)
            return value if value is not None and value.id not in self.shadowed else None
        return None

    def runs_once(self, node: ast.For, target: ast.Name) -> bool:
        """Is the body all there is to the loop, and the only place that names its variable?"""
        function = self.around[-1]
        leaves = any(isinstance(item, (ast.Break, ast.Continue)) for item in ast.walk(node))
        named = [item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == target.id]
        inside = [item for part in node.body for item in ast.walk(part) if isinstance(item, ast.Name)]
        reads = [item for item in inside if item.id == target.id and isinstance(item.ctx, ast.Load)]
        parameters = {item.arg for item in ast.walk(function) if isinstance(item, ast.arg)}
        return not leaves and not node.orelse and len(named) == len(reads) + 1 and target.id not in parameters

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        spec = node.format_spec
        whole = isinstance(node.value, ast.Attribute) and (spec is None or spec_text(spec) is not None)
        before, self.in_braces = self.in_braces, not whole
        node.value = self.visit(node.value)
        self.in_braces = True
        node.format_spec = self.visit(node.format_spec) if node.format_spec is not None else None
        self.in_braces = before
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.Is, ast.IsNot)) and self.is_component(node.left):
            right = node.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None:
                return literal(isinstance(node.ops[0], ast.IsNot), node)
        sides = [node.left, *node.comparators]
        decided = len(sides) == 2 and any(isinstance(side, ast.Constant) for side in sides)
        if not decided and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            # `x is 4` asks which object it is, and a literal is another one.
            self.compared += sides
        return super().visit_Compare(node)

    def is_component(self, node: ast.expr) -> bool:
        """`program.x` whose value in the entry is a component: certainly not None."""
        return (
            isinstance(node, ast.Attribute)
            and record_of(node.value) == "program"
            and node.attr in self.known.components
        )


class _Rename(ast.NodeTransformer):
    """Writes one name for another."""

    def __init__(self, old: str, new: str):
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.new if node.id == self.old else node.id
        return node


def record_of(node: ast.expr) -> str:
    """The reserved name that an expression ends in (`settings`, `self.settings`, `SETTINGS`), or an empty string."""
    if isinstance(node, ast.Name):
        name = "settings" if node.id == "SETTINGS" else node.id
    else:
        name = node.attr if isinstance(node, ast.Attribute) else ""
    return name if name in RECORDS else ""


def specialize(flat: Flat) -> Flat:
    """The program with its settings as literals and without the code that they rule out."""
    copied = Flat(tuple(Owned(item.owner, copy_tree(item.node)) for item in flat.statements))
    propagate(ast.Module(body=[item.node for item in copied.statements], type_ignores=[]))
    known = facts(copied)
    statements = [Owned(item.owner, _specialized(item.node, known)) for item in copied.statements]
    whole = ast.Module(body=[item.node for item in statements], type_ignores=[])
    if fields(copied, RECORDS["settings"]):
        _forget_settings(whole)
    prune(whole)
    result = trim(Flat(tuple(statements)))
    check(flat, result, known.functions)
    return result


def _specialized(node: ast.stmt, known: Facts) -> ast.stmt:
    """One top-level statement; imports, classes' own fields and the record classes have nothing to fold."""
    changed = _Substitute(known, node).visit(copy_tree(node))
    assert isinstance(changed, ast.stmt)
    return ast.fix_missing_locations(changed)


def _forget_settings(tree: ast.Module) -> None:
    """Write None for `x.settings` once no field of the record is read any more.

    The record is then only handed on (rule PG317), so that nobody sees the difference; what hands it on can be pruned.
    """
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    if not any(record_of(value) == "settings" for value in values):
        _Forget().visit(tree)


class _Forget(ast.NodeTransformer):
    """Replaces reads of an attribute `settings`."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "settings" and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Constant(value=None), node)
        return node


def trim(flat: Flat) -> Flat:
    """Drop fields of the two records that hold a literal and that no attribute in reachable code names any more."""
    live = shake(flat)
    read = {node.attr for item in live.statements for node in ast.walk(item.node) if isinstance(node, ast.Attribute)}
    for class_name in RECORDS.values():
        given = fields(flat, class_name)
        definition = record_class(flat, class_name)
        if not given or definition is None or not _only_fields(definition[1]):
            continue
        dead = {name for name, node in given.items() if name not in read and _is_plain(node)}
        # These statements are this stage's own copies.
        call = record_calls(flat, class_name)[0][1]
        call.keywords = [keyword for keyword in call.keywords if keyword.arg not in dead]
        kept = [item for item in definition[1].body if field_name(item) not in dead]
        definition[1].body = kept or [ast.fix_missing_locations(ast.Pass())]
    return Flat(flat.statements)


def _only_fields(node: ast.ClassDef) -> bool:
    return all(isinstance(item, (ast.AnnAssign, ast.Expr, ast.Pass)) for item in node.body)


def field_name(node: ast.stmt) -> str:
    """The field that a statement of a record class declares, or an empty string."""
    return node.target.id if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) else ""


def _is_plain(node: ast.expr) -> bool:
    return not any(isinstance(item, ast.Call) for item in ast.walk(node))


def check(before: Flat, after: Flat, functions: frozenset[str] = frozenset()) -> None:
    """The stage's own check: same statements with the same names, no new free name, and a text that parses back.

    Args:
        functions: names that may be new in a statement, because fields were replaced by them.

    Raises:
        PgolfError: PG401.
    """
    if [bound_names(item.node) for item in before.statements] != [bound_names(item.node) for item in after.statements]:
        raise PgolfError("PG401", "specialize changed what the top level declares")
    for old, new in zip(before.statements, after.statements, strict=True):
        introduced = global_reads(new.node) - global_reads(old.node) - functions
        if introduced:
            where = ", ".join(bound_names(new.node)) or "the main block"
            raise PgolfError("PG401", f"specialize made {', '.join(sorted(introduced))} a global name in {where}")
    declared = {name for item in after.statements for name in bound_names(item.node)}
    unknown = global_reads(after.tree) - declared - BUILTINS
    if unknown:
        raise PgolfError("PG401", f"specialize left names without a definition: {', '.join(sorted(unknown))}")
    try:
        compiles(after.text, "the specialized text")
    except SyntaxError as error:
        raise PgolfError("PG401", f"specialize made something that does not compile: {error}") from error
