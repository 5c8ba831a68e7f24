"""Propagate: a class or function that the program names once, in a call with literals, gets these literals written in.

`Rope(base=10000.0)` is the only place that names `Rope`, so each instance is made by this call: `base` is 10000.0 wherever
`__init__` reads it, and so is `self.base` when nothing else in the program stores an attribute of that name. The same goes
for the function in `partial(schedule, steps=500)`: whoever calls it comes through this `partial`. Then the parameter, the
argument, the assignment and an empty `__init__` go. Parameters that are bound again stay, as does everything else that
is not plain to see.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pgolf.bundle.names import Scope, copy_tree, scopes
from pgolf.bundle.specialize.fold import SINGLETONS, UNKNOWN, value_of
from pgolf.bundle.specialize.idle import calls_constructor
from pgolf.bundle.syntax import binds_self
from pgolf.bundle.trees import Transformer, walk
from pgolf.bundle.visibility import Visibility


@dataclass(frozen=True)
class _Made:
    """A definition that is named once, the function that takes the arguments, and the call that gives them."""

    definition: ast.ClassDef | ast.FunctionDef
    function: ast.FunctionDef
    call: ast.Call


def propagate(tree: ast.Module) -> None:
    """Change every such class and function, in place."""
    nodes = walk(tree)
    named = Counter(node.id for node in nodes if isinstance(node, ast.Name))
    attributes: dict[str, list[ast.Attribute]] = {}
    for node in nodes:
        if isinstance(node, ast.Attribute):
            attributes.setdefault(node.attr, []).append(node)
    visible = Visibility(tree)
    found = list(_made_once(tree, nodes, named))
    calls = {made.call for made in found}
    above = {node: statement for statement in tree.body for node in calls.intersection(walk(statement))}
    for made in found:
        _write_arguments(made)
        if isinstance(made.definition, ast.ClassDef) and not visible.reflects:
            _write_attributes(visible, attributes, made.definition, made.function)
        _drop_idle(above[made.call], made)


def _made_once(tree: ast.Module, nodes: list[ast.AST], named: Counter[str]) -> Iterator[_Made]:
    """Definitions whose name is read once in the whole program, by a call that gives literals by name."""
    once = {
        node.name: node
        for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.decorator_list and named[node.name] == 1
    }
    partials = _partials(tree)
    by_type = _makes_by_type(nodes) or calls_constructor(nodes)
    for call in nodes:
        if (
            not isinstance(call, ast.Call)
            or not isinstance(call.func, ast.Name)
            or None in [k.arg for k in call.keywords]
        ):
            continue
        definition = once.get(call.func.id)
        if isinstance(definition, ast.ClassDef):
            if by_type or call.args or definition.bases or definition.keywords:
                continue
            made = [item for item in definition.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
            if len(made) == 1 and not made[0].decorator_list and binds_self(made[0]):
                yield _Made(definition, made[0], call)
        elif call.func in partials and len(call.args) == 1 and isinstance(call.args[0], ast.Name):
            definition = once.get(call.args[0].id)
            if isinstance(definition, ast.FunctionDef) and not definition.args.posonlyargs:
                yield _Made(definition, definition, call)


def _makes_by_type(nodes: list[ast.AST]) -> bool:
    """Could the program make an object without naming its class: is `type` used for anything but a comparison?"""
    compared = {
        side.func
        for node in nodes
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Call)
    }
    return any(isinstance(node, ast.Name) and node.id == "type" and node not in compared for node in nodes)


def _partials(tree: ast.Module) -> set[ast.AST]:
    """The places where `partial` means functools.partial."""
    imported = [
        alias
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "functools"
        for alias in node.names
        if alias.name == "partial"
    ]
    if not imported:
        return set()
    top, places = scopes(tree)
    bound = top.bound.get("partial", [])
    if len(bound) != 1 or bound[0] not in imported:
        return set()
    reads = [node for scope in top.walk() for node in scope.reads.get("partial", [])]
    return {node for node in reads if places[node].resolve("partial") is top}


# Arguments


def _write_arguments(made: _Made) -> None:
    """Put the call's literals where the function reads its parameters, and drop both."""
    top, places = scopes(made.function)
    scope = next(child for child in top.children if child.node is made.function)
    for keyword in list(made.call.keywords):
        name = keyword.arg or ""
        arguments = made.function.args
        known = any(argument.arg == name for argument in (*arguments.args, *arguments.kwonlyargs))
        if (
            known
            and value_of(keyword.value) is not UNKNOWN
            and _is_constant(made.function, scope, places, name, keyword.value)
        ):
            _Write({name: keyword.value}, scope, places).visit(made.function)
            drop_parameter(arguments, name)
            made.call.keywords.remove(keyword)


def _is_constant(
    function: ast.FunctionDef, scope: Scope, places: dict[ast.AST, Scope], name: str, value: ast.expr
) -> bool:
    """Is a parameter only ever read, and may a literal stand wherever it is?"""
    bound = scope.bound.get(name, [])
    if len(bound) != 1 or not isinstance(bound[0], ast.arg):
        return False
    reads = [node for inner in scope.walk() for node in inner.reads.get(name, []) if inner.resolve(name) is scope]
    return not awkward(function, value) & set(reads)


def awkward(root: ast.AST, value: ast.expr) -> set[ast.AST]:
    """Places where a literal would mean something else, or could not be written: beside `is`, and in f-strings."""
    found: set[ast.AST] = set()
    content = value_of(value)
    for node in walk(root):
        if isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            if not any(content is single for single in SINGLETONS):
                found.update([node.left, *node.comparators])
        elif isinstance(node, ast.JoinedStr) and type(content) not in (bool, int, float):
            found.update(walk(node))
        elif isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
            found.add(node.func if isinstance(node, ast.Call) else node.value)
    return found


class _Write(Transformer):
    """Replaces the reads of one function's parameters."""

    def __init__(self, values: dict[str, ast.expr], scope: Scope, places: dict[ast.AST, Scope]):
        self.values, self.scope, self.places = values, scope, places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.values.get(node.id)
        if value is None or not isinstance(node.ctx, ast.Load) or self.places[node].resolve(node.id) is not self.scope:
            return node
        return ast.copy_location(copy_tree(value), node)


def drop_parameter(arguments: ast.arguments, name: str) -> None:
    """Remove a parameter and its default."""
    for place, argument in enumerate(arguments.args):
        if argument.arg == name:
            default = place - (len(arguments.args) - len(arguments.defaults))
            if default >= 0:
                del arguments.defaults[default]
            del arguments.args[place]
            return
    for place, argument in enumerate(arguments.kwonlyargs):
        if argument.arg == name:
            del arguments.kwonlyargs[place], arguments.kw_defaults[place]
            return


# Attributes


def _write_attributes(
    visible: Visibility, attributes: dict[str, list[ast.Attribute]], node: ast.ClassDef, made: ast.FunctionDef
) -> None:
    """Put the literals that `__init__` stores where methods read them, and drop attributes that nothing else reads."""
    own = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
    assigned = [item for item in node.body if isinstance(item, (ast.Assign, ast.AnnAssign))]
    own += [name.id for item in assigned for name in walk(item) if isinstance(name, ast.Name)]
    for target, value in list(_stored_literals(made)):
        uses = attributes[target.attr]
        if target.attr in own or visible.set_from_outside(target.attr):
            continue
        if any(item is not target and not isinstance(item.ctx, ast.Load) for item in uses):
            continue
        mine = _own_reads(node, target.attr) - awkward(node, value)
        if mine:
            _WriteReads(mine, value).visit(node)
        if all(item is target or item in mine for item in uses) and not visible.read_from_outside(target.attr):
            drop_store(made, target)


def _stored_literals(made: ast.FunctionDef) -> Iterator[tuple[ast.Attribute, ast.expr]]:
    """`self.x = literal` of a constructor that has no branches before it."""
    first = made.args.args[0].arg
    for item in made.body:
        if not isinstance(item, ast.Assign) or len(item.targets) != 1:
            continue
        for target, value in pairs(item):
            is_self = (
                isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first
            )
            if isinstance(target, ast.Attribute) and is_self and value_of(value) is not UNKNOWN:
                yield target, value


def pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """The (target, value) of a plain assignment, or those of a tuple to a tuple."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        starred = any(isinstance(item, ast.Starred) for item in (*target.elts, *value.elts))
        return [] if starred else list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _own_reads(node: ast.ClassDef, name: str) -> set[ast.AST]:
    """`self.name`, read in a method of the class other than its constructor."""
    return {
        item
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name != "__init__" and binds_self(method)
        for item in walk(method)
        if isinstance(item, ast.Attribute) and item.attr == name and isinstance(item.ctx, ast.Load)
        if isinstance(item.value, ast.Name) and item.value.id == method.args.args[0].arg
    }


class _WriteReads(Transformer):
    """Replaces given expressions by one literal."""

    def __init__(self, places: set[ast.AST], value: ast.expr):
        self.places, self.value = places, value

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.copy_location(copy_tree(self.value), node) if node in self.places else self.generic_visit(node)


def drop_store(made: ast.FunctionDef, target: ast.Attribute) -> None:
    """Remove one target and its value from the assignment that has them, in the body of a method."""
    for place, item in enumerate(made.body):
        if isinstance(item, ast.Assign) and any(found is target for found, _ in pairs(item)):
            made.body[place] = assignment([pair for pair in pairs(item) if pair[0] is not target], item)


def assignment(kept: list[tuple[ast.expr, ast.expr]], like: ast.Assign) -> ast.stmt:
    """An assignment of these values to these targets, in the place of another."""
    if not kept:
        return ast.copy_location(ast.Pass(), like)
    if len(kept) == 1:
        target, value = kept[0]
    else:
        target = ast.Tuple(elts=[found for found, _ in kept], ctx=ast.Store())
        value = ast.Tuple(elts=[found for _, found in kept], ctx=ast.Load())
    return ast.copy_location(ast.Assign(targets=[target], value=value), like)


def _drop_idle(statement: ast.stmt, made: _Made) -> None:
    """Remove a constructor that does nothing, and a `partial` that gives nothing."""
    node = made.definition
    body = [item for item in made.function.body if not _is_constant_line(item)]
    if isinstance(node, ast.ClassDef):
        if not body and len(made.function.args.args) == 1 and not made.call.keywords:
            node.body = [item for item in node.body if item is not made.function] or [ast.Pass()]
        elif not made.function.body:
            made.function.body = [ast.Pass()]
    elif not made.call.keywords:
        _Swap(made.call, made.call.args[0]).visit(statement)


def _is_constant_line(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


class _Swap(Transformer):
    """Puts one expression in the place of another."""

    def __init__(self, old: ast.expr, new: ast.expr):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
