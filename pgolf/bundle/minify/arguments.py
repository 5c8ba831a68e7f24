"""Arguments: write keywords by position where the called function is known, and let records' fields share one annotation.

`f(b=2, a=1)` is `f(1, 2)` where `f` is certainly the program's `def f(a, b)`: its name is bound once, at the top level, and
not shadowed. Arguments stay in the order in which they are evaluated, unless those that change places are names and literals.
"""

from __future__ import annotations

import ast

from pgolf.bundle.classes import DECORATORS, is_record
from pgolf.bundle.names import copy_tree, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.specialize.fold import UNKNOWN, value_of
from pgolf.bundle.trees import walk
from pgolf.errors import PgolfError


def settle_arguments(tree: ast.Module) -> None:
    """Change every call with keywords of a function, record or class of the program, in place."""
    module, places = scopes(tree)
    known = {name: found for name in module.bound if (found := _parameters(module.bound[name])) is not None}
    for node in walk(tree):
        func = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and isinstance(func, ast.Name) and places[func].resolve(func.id) is module:
            _by_position(node, known.get(func.id, ()))


def _parameters(bound: list[ast.AST]) -> tuple[str, ...] | None:
    """The parameters by position of a top-level function, record, or class with a constructor of its own."""
    node = bound[0]
    if len(bound) != 1:
        return None
    if isinstance(node, ast.FunctionDef) and all(last_name(item) in DECORATORS for item in node.decorator_list):
        return _positional(node, 0)
    if not isinstance(node, ast.ClassDef):
        return None
    if is_record(node):
        names = [
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        ]
        own = any(isinstance(item, ast.FunctionDef) and item.name in ("__new__", "__init__") for item in node.body)
        return None if own or (node.bases and last_name(node.bases[0]) != "NamedTuple") else tuple(names)
    made = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    return _positional(made[0], 1) if len(made) == 1 and not node.decorator_list else None


def _positional(node: ast.FunctionDef, skipped: int) -> tuple[str, ...] | None:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return None if node.args.vararg is not None else tuple(names[skipped:])


def _by_position(call: ast.Call, parameters: tuple[str, ...]) -> None:
    """Turn the keywords that continue the positional arguments into such."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if None in given or any(isinstance(argument, ast.Starred) for argument in call.args):
        return
    taken: list[str] = []
    for name in parameters[len(call.args) :]:
        if name not in given:
            break
        taken.append(name)
    rest = [keyword for keyword in call.keywords if keyword.arg not in taken]
    after = [*(given[name] for name in taken), *(keyword.value for keyword in rest)]
    before = [keyword.value for keyword in call.keywords]
    if _same_order(before, after):
        bound = _bound(call, parameters)
        call.args, call.keywords = [*call.args, *(given[name] for name in taken)], rest
        if _bound(call, parameters) != bound:
            raise PgolfError("PG401", f"arguments of {ast.unparse(call.func)} changed places")


def _same_order(before: list[ast.expr], after: list[ast.expr]) -> bool:
    """Are the arguments evaluated in the same order, but for names and literals?"""
    return [item for item in before if not _is_still(item)] == [item for item in after if not _is_still(item)]


def _is_still(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or value_of(node) is not UNKNOWN


def _bound(call: ast.Call, parameters: tuple[str, ...]) -> dict[str | None, ast.expr]:
    """Parameter -> argument, as Python would bind them."""
    by_position: dict[str | None, ast.expr] = dict(zip(parameters, call.args, strict=False))
    return by_position | {keyword.arg: keyword.value for keyword in call.keywords}


def settle_annotations(tree: ast.Module) -> None:
    """Annotate every field of every NamedTuple with `NamedTuple` itself, in place.

    The class statement keeps them in `__annotations__`, which nobody reads (rule PG312), and asks of each only that it can be
    called. Fields of dataclasses stay: a dataclass looks for ClassVar in them.
    """
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
        for alias in node.names
        if alias.name == "NamedTuple"
    }
    for node in tree.body:
        base = node.bases[0] if isinstance(node, ast.ClassDef) and len(node.bases) == 1 else None
        if isinstance(node, ast.ClassDef) and isinstance(base, ast.Name) and base.id in imported:
            for item in node.body:
                if isinstance(item, ast.AnnAssign):
                    item.annotation = copy_tree(base)
