"""Which parameters may be renamed: those that no call names.

A call names a parameter by a keyword, or by a dictionary that it unpacks. Where a function is only ever called, all its calls
are in the text. A method may be called by a library too, which can only do so by a name that the library knows.
"""

from __future__ import annotations

import ast
import builtins

from pgolf.bundle.visibility import EXTERNAL_NAMES, PLAIN_PACKAGES
from pgolf.repack.evidence import ANNOTATIONS, LOCALS, Evidence
from pgolf.repack.index import Function, Index

MAKES = ("__init__", "__call__", "forward")
"""Methods that libraries call with what the script gives them."""


def free(index: Index, evidence: Evidence) -> set[ast.AST]:
    """The parameters that may be renamed."""
    if evidence.forbids(ANNOTATIONS, LOCALS):
        return set()
    unpacking = [call for call in calls(index) if any(word.arg is None for word in call.keywords)]
    named = keywords(index) | evidence.words
    closed = evidence.annotated | evidence.kernels | evidence.frames
    functions = {function for call in unpacking for function in index.called(call)}
    somewhere = any(not index.called(call) and not _is_imported(index, call) for call in unpacking)
    covered = all(package in PLAIN_PACKAGES for package in _packages(index))
    found: set[ast.AST] = set()
    for node in index.nodes:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node in closed:
            continue
        if index.is_method(node):
            found.update(_own_argument(node, named))
            if not _is_own_method(node, covered, somewhere):
                continue
        if node not in functions:
            found.update(each for each in arguments(node) if each.arg not in named)
    return found


def calls(index: Index) -> list[ast.Call]:
    """Every call of a script."""
    return [node for node in index.nodes if isinstance(node, ast.Call)]


def keywords(index: Index) -> set[str]:
    """Every keyword of a call."""
    return {word.arg for call in calls(index) for word in call.keywords if word.arg}


def arguments(node: Function) -> list[ast.arg]:
    """All parameters of a function."""
    extra = [each for each in (node.args.vararg, node.args.kwarg) if each is not None]
    return [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, *extra]


def _own_argument(node: Function, named: set[str]) -> list[ast.arg]:
    """`self`: nobody gives it by name."""
    plain = all(getattr(each, "id", "") in ("property", "classmethod") for each in node.decorator_list)
    return [each for each in node.args.args[:1] if plain and each.arg in ("self", "cls") and each.arg not in named]


def _is_own_method(node: Function, covered: bool, somewhere: bool) -> bool:
    """Do libraries call a method only with what the script gives?"""
    if node.name in MAKES:
        return not somewhere
    return covered and node.name not in EXTERNAL_NAMES and not node.name.startswith("__")


def _is_imported(index: Index, call: ast.Call) -> bool:
    """Is this a call of a library's function or of a builtin, which hands the names on to nobody else's?"""
    origins = index.origins(call.func)
    return bool(origins) and all("." in origin.strip(".") or origin in dir(builtins) for origin in origins)


def _packages(index: Index) -> set[str]:
    packages: set[str] = set()
    for node in index.nodes:
        if isinstance(node, ast.Import):
            packages.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            packages.add((node.module or "").partition(".")[0])
    return packages
