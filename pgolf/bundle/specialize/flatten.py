"""Flatten: a class that makes one object, which has a top-level name and goes nowhere, becomes functions and variables.

`clock = WallClock()` and nothing else names `WallClock`, and every mention of `clock` is `clock.start()`, `clock.since` or a
call of it: then `self` is always that object, so that its methods are functions without `self` and its attributes variables
of the top level. Where an object goes anywhere else, it may meet code that asks it for an attribute by a name that other
classes have too: such a class stays, unless all it has is `__call__`, for a function does as well there.
"""

from __future__ import annotations

import ast

from pgolf.bundle.names import copy_tree
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.fold import Folder
from pgolf.bundle.specialize.idle import fresh, spellings
from pgolf.bundle.specialize.singles import Look, Single, stores
from pgolf.bundle.trees import Transformer, walk

Owners = dict[ast.stmt, str]


def flatten(tree: ast.Module, owners: Owners) -> bool:
    """Change the whole program in place; statements that are added get an owner."""
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    if not any(isinstance(node, ast.Assign) and _makes(node.value, classes) for node in tree.body):
        return False
    look = Look(tree)
    found = [single for node in tree.body if (single := look.single(node)) is not None]
    if not found:
        return False
    taken = spellings(tree)
    put_in: dict[ast.AST, ast.expr] = {}
    for single in found:
        _replace(tree, owners, single, _names(single, taken), put_in)
    _Fill(put_in).visit(tree)
    _fold(tree, owners, {value for value in put_in.values() if not isinstance(value, ast.Name)})
    return True


def _makes(node: ast.expr, classes: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes


def _fold(tree: ast.Module, owners: Owners, literals: set[ast.expr]) -> None:
    """Fold the statements that these literals are in."""
    for place, node in enumerate(tree.body):
        if literals and any(inner in literals for inner in walk(node)):
            changed = Folder().visit(node)
            owners[changed] = owners[node]
            tree.body[place] = changed


def _names(single: Single, taken: set[str]) -> dict[str, str]:
    """Member -> its top-level name; an object that is called is its `__call__`."""
    members = [*single.methods, *sorted(single.attributes), *sorted(single.shown)]
    return {
        name: single.name if name == "__call__" else fresh(name.strip("_"), taken)
        for name in members
        if name != "__init__"
    }


def _replace(
    tree: ast.Module, owners: Owners, single: Single, names: dict[str, str], put_in: dict[ast.AST, ast.expr]
) -> None:
    """Put functions in the place of a class and variables in that of its object, and note what mentions become."""
    for node, member in single.uses.items():
        if member in names:
            put_in[node] = ast.Name(id=names[member], ctx=node.ctx)
        else:
            put_in[node] = copy_tree(single.constants[member])
    for name in single.whole:
        put_in[name] = ast.Name(id=single.name, ctx=ast.Load())
    variables = [_assign(names[name], single.constants[name]) for name in sorted(single.shown)]
    for target, value in single.stores:
        variables.append(_assign(names[target.attr], _Values(single.values).visit(copy_tree(value))))
    functions = [_function(method, names) for name, method in single.methods.items() if name != "__init__"]
    owner = owners[single.definition]
    for place, added in ((single.definition, functions), (single.statement, variables)):
        index = tree.body.index(place)
        tree.body[index : index + 1] = added
        owners.update((node, owner) for node in added)


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=value)


def _function(method: ast.FunctionDef, names: dict[str, str]) -> ast.stmt:
    """A method as a function, with the variables declared that it writes."""
    marks = [last_name(mark) for mark in method.decorator_list]
    if "staticmethod" in marks:
        method.decorator_list = [mark for mark in method.decorator_list if last_name(mark) != "staticmethod"]
    else:
        first = method.args.args.pop(0).arg
        written = {
            names[node.attr]
            for node in walk(method)
            if isinstance(node, ast.Attribute) and stores(node)
            if isinstance(node.value, ast.Name) and node.value.id == first
        }
        if written:
            method.body.insert(0, ast.Global(names=sorted(written)))
    method.name = names[method.name]
    return method


class _Values(Transformer):
    """Writes what a constructor is given for its parameters."""

    def __init__(self, values: dict[str, ast.expr]):
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return copy_tree(self.values.get(node.id, node))


class _Fill(Transformer):
    """Replaces given names and attributes."""

    def __init__(self, values: dict[ast.AST, ast.expr]):
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.values.get(node)
        if value is None:
            self.generic_visit(node)
            return node
        return ast.copy_location(value, node)
