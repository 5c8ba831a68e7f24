"""The rule that lets `specialize` replace fields of the two records by literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pgolf.bundle.names import FUNCTIONS
from pgolf.bundle.records import RECORDS, record_of
from pgolf.bundle.source import ENTRY
from pgolf.bundle.syntax import Pair, Signature, field_names, hides_arguments, is_docstring, methods_of, pairs
from pgolf.bundle.trees import walk
from pgolf.bundle.view import BUILTIN, INTERNAL, Findings, View, is_record

CLASSES = [INTERNAL + name for name in RECORDS.values()]
KINDS = (
    *(ast.Name, ast.Attribute, ast.Call, ast.ClassDef, *FUNCTIONS, ast.alias),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
)
"""Classes of nodes that may break the rule."""
HELP = "hand the one record on as `settings` or `program`, keep it as self.settings, and read its fields by name"


def misused_records(view: View) -> Findings:
    """PG317: settings or program are rebound or rebuilt."""
    for node in view.code(*KINDS):
        for bad, message in _findings(view, node):
            yield view.module.finding("PG317", bad, message, HELP)


def _findings(view: View, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield from _use(view, node)
    elif isinstance(node, ast.Call):
        yield from _arguments(view, node)
    elif isinstance(node, ast.ClassDef) and node.name in RECORDS.values():
        if not is_record(view, node) or not all(
            isinstance(member, ast.AnnAssign) or is_docstring(member) for member in node.body
        ):
            yield node, f"{node.name} is not a NamedTuple of nothing but fields"
    elif isinstance(node, FUNCTIONS):
        names = {argument.arg for argument in walk(node.args) if isinstance(argument, ast.arg)}
        nested = view.function_around(node) is not None
        if names & set(RECORDS) and nested:
            yield node, "an inner function has a parameter with a reserved name"
        if isinstance(node, ast.FunctionDef) and node.name in RECORDS:
            yield node, f"a function is called {node.name}"
        starred = [member.arg for member in (node.args.vararg, node.args.kwarg) if member is not None]
        if set(starred) & set(RECORDS):
            yield node, "a starred parameter has a reserved name"
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name in RECORDS:
        yield node, f"{node.name} is rebound"
    elif isinstance(node, ast.MatchMapping) and node.rest in RECORDS:
        yield node, f"{node.rest} is rebound"
    elif isinstance(node, ast.alias) and (node.asname or node.name) in RECORDS:
        yield node, f"an import binds {node.asname or node.name}"


def _use(view: View, node: ast.Name | ast.Attribute) -> Iterator[tuple[ast.AST, str]]:
    """One mention of a record, of its class, or of a field."""
    parent = view.parents[node]
    if isinstance(node, ast.Name) and view.full(node) in CLASSES:
        entry_call = view.module.name == ENTRY and isinstance(parent, ast.Call) and parent.func is node
        if not entry_call:
            yield node, f"{node.id} is used outside the entry's one call"
    if isinstance(node, ast.Attribute) and record_of(node.value):
        if not isinstance(node.ctx, ast.Load) or _is_stored_into(view, node):
            yield node, f"a field of {record_of(node.value)} is written"
        elif node.attr.startswith("_") or node.attr in ("count", "index"):
            yield node, f"{node.attr} takes {record_of(node.value)} for a tuple"
        return
    name = record_of(node)
    if not name:
        if isinstance(node.ctx, ast.Load) and _takes_record(view, node) and not _is_called(view, node, parent):
            yield node, "a function that takes a record is used other than by calling it"
        return
    if isinstance(node, ast.Attribute) and _is_outside(view, node.value):
        yield node, f"{name} of something outside the program has a reserved name"
    if isinstance(parent, ast.Attribute) and parent.value is node:
        return
    if not isinstance(node.ctx, ast.Load):
        if not _is_binding(view, node, name):
            yield node, f"{name} is rebound"
    elif not _is_handed_on(view, node, parent):
        yield node, f"{name} is used as a whole"


def _is_outside(view: View, node: ast.expr) -> bool:
    name = view.full(node)
    return bool(name) and not name.startswith(INTERNAL)


def _is_called(view: View, node: ast.expr, parent: ast.AST) -> bool:
    """Is a function called, bound by `partial(f, settings=settings)`, or a class only named as a base or a type?"""
    if isinstance(parent, ast.Call):
        bound = view.full(parent.func) == "functools.partial" and parent.args[:1] == [node]
        return parent.func is node or bound or view.full(parent.func) == "builtins.isinstance"
    return isinstance(parent, (ast.ClassDef, ast.Attribute, ast.AnnAssign))


def _takes_record(view: View, node: ast.Name | ast.Attribute) -> bool:
    """Is this the name of a bundled function, class or method with a parameter called `settings` or `program`?"""
    if isinstance(node, ast.Attribute):
        methods = view.methods.get(node.attr, [])
        parameters = [argument for method in methods for argument in (*method.args.posonlyargs, *method.args.args)]
        return any(argument.arg in RECORDS for argument in parameters)
    if not view.full(node).startswith(INTERNAL):
        return False
    call = ast.Call(func=node, args=[ast.Starred(ast.Constant(None), ast.Load())], keywords=[])
    return any(set(names) & set(RECORDS) for names in _parameters(view, call))


def _is_binding(view: View, node: ast.Name | ast.Attribute, name: str) -> bool:
    """`self.settings = settings`, `settings = x.settings` in a function, or the entry's SETTINGS."""
    if isinstance(node, ast.Name) and node.id == "SETTINGS":
        return view.module.name == ENTRY and view.parents[node] in view.module.tree.body
    if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
        return False
    local = isinstance(node, ast.Attribute) or view.function_around(node) is not None
    return local and any(target is node and record_of(value) == name for target, value in _pairs(view, node))


def _pairs(view: View, node: ast.expr) -> list[Pair]:
    """The (target, value) of the assignment that a target or value stands in."""
    parent = view.parents[node]
    parent = view.parents[parent] if isinstance(parent, ast.Tuple) else parent
    return pairs(parent) if isinstance(parent, ast.stmt) else []


def _is_stored_into(view: View, node: ast.expr) -> bool:
    """Is this the base of something that is written to, as in `program.x["y"] = z`?"""
    parent = view.parents[node]
    while isinstance(parent, (ast.Subscript, ast.Attribute)) and parent.value is node:
        if not isinstance(parent.ctx, ast.Load):
            return True
        node, parent = parent, view.parents[parent]
    return False


def _is_handed_on(view: View, node: ast.expr, parent: ast.AST) -> bool:
    """Is the record an argument of bundled code, or bound to its own name again?"""
    if isinstance(parent, ast.keyword):
        call = view.parents[parent]
        return parent.arg == record_of(node) and isinstance(call, ast.Call) and not _is_foreign(view, call)
    if isinstance(parent, ast.Call):
        return node is not parent.func and not _is_foreign(view, parent)
    return any(value is node and record_of(target) == record_of(node) for target, value in _pairs(view, node))


def _is_foreign(view: View, call: ast.Call) -> bool:
    """Does a call leave the bundled code? `partial(f, settings=settings)` does not."""
    target = view.full(call.func)
    if target == "functools.partial":
        return not (call.args and view.full(call.args[0]).startswith(INTERNAL))
    return target.startswith(BUILTIN) or (bool(target) and not target.startswith(INTERNAL))


def _arguments(view: View, call: ast.Call) -> Iterator[tuple[ast.AST, str]]:
    """The parameters that are called `settings` and `program` get the records, and they alone do."""
    for keyword in call.keywords:
        if keyword.arg in RECORDS and not _is_record_value(view, keyword.value, keyword.arg):
            yield keyword.value, f"{keyword.arg} is given something else"
    if view.full(call.func) == "functools.partial" and call.args:
        call = ast.copy_location(ast.Call(func=call.args[0], args=call.args[1:], keywords=call.keywords), call)
    candidates = list(_parameters(view, call))
    if not candidates and any(record_of(value) for value in call.args) and not _is_foreign(view, call):
        yield call, "a record is handed on by position to something unknown"
    for parameters in candidates:
        takes = set(parameters) & set(RECORDS)
        if takes and hides_arguments(call):
            yield call, f"{', '.join(sorted(takes))} may come out of starred arguments"
            continue
        for name, value in zip(parameters, call.args, strict=False):
            given = record_of(value) if isinstance(value, (ast.Name, ast.Attribute)) else ""
            if name in RECORDS and not _is_record_value(view, value, name):
                yield value, f"{name} is given something else"
            elif given and given != name:
                yield value, f"{given} is given to a parameter called {name}"


def _parameters(view: View, call: ast.Call) -> Iterator[tuple[str, ...]]:
    """Positional parameters of each bundled function or method that a call may mean."""
    if isinstance(call.func, ast.Name):
        definition = view.definition(call.func.id) if view.full(call.func).startswith(INTERNAL) else None
        if isinstance(definition, ast.FunctionDef):
            yield Signature.of(definition).positional
        elif isinstance(definition, ast.ClassDef):
            made = [method for method in methods_of(definition) if method.name == "__init__"]
            yield from [Signature.of(method, 1).positional for method in made] or [field_names(definition)]
    elif isinstance(call.func, ast.Attribute):
        # Its class is not known, so that its name and its parameters decide.
        signatures = [Signature.of(method, 1) for method in view.methods.get(call.func.attr, [])]
        yield from (signature.positional for signature in signatures if signature.takes(call))


def _is_record_value(view: View, node: ast.expr, name: str) -> bool:
    """`settings`, `x.settings` or SETTINGS; for `program` also the entry's call that makes it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and view.module.name == ENTRY:
        definition = view.definition(node.func.id)
        made = RECORDS[name]
        returned = definition.body[-1] if isinstance(definition, ast.FunctionDef) else None
        value = returned.value if isinstance(returned, ast.Return) else None
        return node.func.id == made or (isinstance(value, ast.Call) and ast.unparse(value.func) == made)
    return record_of(node) == name
