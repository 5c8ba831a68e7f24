"""Positional arguments: write keywords by position where the called function is known; let fields share one annotation.

`f(b=2, a=1)` is `f(1, 2)` where `f` is certainly the program's `def f(a, b)`: its name is bound once, at the top level, and
not shadowed. Arguments stay in the order in which they are evaluated, unless those that change places are movable: literals,
and names that no argument can bind. Calls of a class with a base from outside the program stay: an exception keeps its
positional arguments.
"""

from __future__ import annotations

import ast
from itertools import takewhile

from pgolf.bundle.effects import is_movable, rebound_names
from pgolf.bundle.names import Resolved, Scope, copy_tree, scopes
from pgolf.bundle.source import last_name
from pgolf.bundle.syntax import Signature, field_names, hides_arguments, is_record, methods_of
from pgolf.bundle.trees import walk
from pgolf.errors import PgolfError

TRANSPARENT = ("no_grad", "inference_mode", "enable_grad", "contextmanager")
"""Decorators that cannot tell a keyword from a position; a cache can, because its key holds what is given by name apart."""
BASES = ("NamedTuple", "Module", "object")
"""Bases from outside the program that do nothing else with a constructor's arguments than to hand them to `__init__`."""

SPECIAL_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")
"""Annotations that make something else of a dataclass's field than a parameter by position."""


def settle_arguments(tree: ast.Module, resolved: Resolved | None = None) -> None:
    """Change every call with keywords of a function, record or class of the program, in place.

    Args:
        resolved: the tree's scopes, where the caller has them.
    """
    module, places = resolved or scopes(tree)
    nodes = walk(tree)
    rebound = rebound_names(nodes)
    known = {name: _parameters(bound[0], module) for name, bound in module.bound.items() if len(bound) == 1}
    for node in nodes:
        func = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and isinstance(func, ast.Name) and places[func].resolve(func.id) is module:
            signature = known.get(func.id)
            if signature is not None:
                _by_position(node, signature, rebound)


def _parameters(node: ast.AST, module: Scope) -> Signature | None:
    """What calls of a function, record, or class with its own constructor give; None where that is not certain."""
    if isinstance(node, ast.FunctionDef) and all(last_name(mark) in TRANSPARENT for mark in node.decorator_list):
        return _by_place(node, 0)
    if not isinstance(node, ast.ClassDef) or node.keywords or not _hands_arguments_on(node, module):
        return None
    made = [method for method in methods_of(node) if method.name in ("__new__", "__init__")]
    if is_record(node):
        return None if made or not _has_plain_fields(node) else Signature(field_names(node), field_names(node), {})
    return _by_place(made[0], 1) if len(made) == 1 and not node.decorator_list else None


def _hands_arguments_on(node: ast.ClassDef, module: Scope) -> bool:
    """Does calling a class only call the `__init__` that it has? Not below an exception, an enum or another `__new__`."""
    for base in node.bases:
        bound = module.bound.get(last_name(base), [])
        above = bound[0] if len(bound) == 1 else None
        if not isinstance(above, ast.ClassDef):
            if last_name(base) not in BASES:
                return False
        elif above is node or not _hands_arguments_on(above, module):
            return False
    return all(method.name != "__new__" for method in methods_of(node))


def _has_plain_fields(node: ast.ClassDef) -> bool:
    """Are the fields of a record its constructor's parameters, in their order?"""
    if [last_name(base) for base in node.bases] == ["NamedTuple"]:
        return True
    options = {word.arg for mark in node.decorator_list if isinstance(mark, ast.Call) for word in mark.keywords}
    fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    names = {ast.unparse(field.annotation).partition("[")[0].rpartition(".")[2] for field in fields}
    made = any(isinstance(field.value, ast.Call) for field in fields)
    return not node.bases and options.isdisjoint(("kw_only", "init")) and names.isdisjoint(SPECIAL_FIELDS) and not made


def _by_place(node: ast.FunctionDef, skipped: int) -> Signature | None:
    """What calls give by place, but for the first parameters; None where any number may be given."""
    signature = Signature.of(node, skipped)
    return None if signature.more[0] else signature


def _by_position(call: ast.Call, signature: Signature, rebound: set[str]) -> None:
    """Turn the keywords that continue the positional arguments into such."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    following = signature.positional[len(call.args) :]
    taken = list(takewhile(given.__contains__, following))
    rest = [keyword for keyword in call.keywords if keyword.arg not in taken]
    placed = [given[name] for name in taken]
    after = [*placed, *(keyword.value for keyword in rest)]
    if not hides_arguments(call) and _same_order(list(given.values()), after, rebound):
        bound = signature.bound(call)
        call.args, call.keywords = [*call.args, *placed], rest
        if signature.bound(call) != bound:
            raise PgolfError("PG401", f"arguments of {ast.unparse(call.func)} changed places")


def _same_order(before: list[ast.expr], after: list[ast.expr], rebound: set[str]) -> bool:
    """Are the arguments evaluated in the same order, but for those that are movable?"""
    first, then = ([value for value in values if not is_movable(value, rebound)] for values in (before, after))
    return first == then


def settle_annotations(tree: ast.Module) -> None:
    """Annotate every field of every NamedTuple with `NamedTuple` itself, in place.

    The class statement keeps them in `__annotations__`, which nobody reads (rule PG312), and asks of each only that it can be
    called. Fields of dataclasses stay: a dataclass looks for ClassVar in them.
    """
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and [last_name(base) for base in node.bases] == ["NamedTuple"]:
            for item in node.body:
                if isinstance(item, ast.AnnAssign):
                    item.annotation = copy_tree(node.bases[0])
