"""Which names and annotations of functions others may read.

A function or class that is used other than by being called is *handed over*: whoever gets it may read its name, its parameters
and its annotations (`torch.library.custom_op`, `triton.jit`, `inspect.signature`, `pickle` and so on need no list). So it keeps
them. What is only ever called can be seen by nobody.
"""

from __future__ import annotations

import ast
import re

from pgolf.bundle.names import FUNCTIONS
from pgolf.repack.evidence import PUBLIC, Evidence
from pgolf.repack.index import Function, Index, last_name

ONLY_CALL = re.compile(
    r"staticmethod|classmethod|property|\.(setter|getter|deleter)|torch\.(compile|no_grad|inference_mode|enable_grad)"
    r"|torch\.(compiler|_dynamo)\.disable|functools\.(cache|lru_cache|wraps|cached_property|total_ordering)"
    r"|contextlib\.(async)?contextmanager|abc\.abstractmethod|dataclasses\.dataclass|typing\.(final|overload)"
    r"|torch\.autograd\.function\.once_differentiable"
)
"""Decorators that call what they are given and read nothing of it that an importer could miss."""
KERNEL = ("jit", "kernel", "heuristics", "autotune")
CLASS_TESTS = ("isinstance", "issubclass")
RUNS_AT_TOP = (ast.For, ast.While, ast.With, ast.AsyncFor, ast.AsyncWith)


def look(index: Index, evidence: Evidence) -> None:
    """Note what is handed over."""
    exported = not is_program(index)
    if exported:
        reason = "there is no main block, so that others may import them"
        evidence.add(ast.Module([], []), reason, PUBLIC)
    handed_classes = _handed_classes(index, exported)
    handed_methods = _handed_methods(index, evidence.words)
    for node in index.nodes:
        if isinstance(node, ast.ClassDef):
            evidence.named.update(index.functions_around(node))
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if _is_kernel(index, node):
            evidence.kernels.add(node)
        if _is_handed_over(index, node) or (exported and _is_public(index, node)):
            evidence.named.update([node, *index.functions_around(node)])  # a qualified name holds those around
            evidence.annotated.add(node)
        elif index.is_method(node) and (node.name in handed_methods or index.parents[node] in handed_classes):
            evidence.annotated.add(node)
    if exported:
        evidence.words |= {name for name in index.top.bound if not name.startswith("_")}


def is_program(index: Index) -> bool:
    """Is the script run, rather than imported? It has a main block, or its top level works: it loops, or calls its own."""
    for node in index.nodes:
        if isinstance(node, ast.Compare) and any(
            isinstance(side, ast.Name) and side.id == "__name__" for side in (node.left, *node.comparators)
        ):
            return True
    return any(_works(index, statement) for statement in index.tree.body)


def _works(index: Index, statement: ast.stmt) -> bool:
    if isinstance(statement, RUNS_AT_TOP):
        return True
    if isinstance(statement, (ast.If, ast.Try)):
        parts = [*statement.body, *statement.orelse, *getattr(statement, "finalbody", [])]
        return any(_works(index, part) for part in parts)
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return index.is_own(statement.value.func) or index.origins(statement.value.func) == {"print"}


def _is_public(index: Index, node: Function) -> bool:
    """Can who imports the module reach a function by names without an underscore?"""
    around = [parent for parent in index.around(node) if isinstance(parent, (ast.ClassDef, *FUNCTIONS))]
    names = [node.name, *(getattr(parent, "name", "_") for parent in around)]
    return not any(name.startswith("_") and not name.endswith("__") for name in names)


def _is_kernel(index: Index, node: Function) -> bool:
    """Does a compiler read the function's source: by a decorator, or by `triton.jit(function)`?"""
    if any(last_name(decorator) in KERNEL for decorator in node.decorator_list):
        return True
    for load in index.loads.get(index.variable(node, node.name), ()):
        parent = index.parents[load]
        if isinstance(parent, ast.Call) and parent.func is not load:
            names = {origin.rpartition(".")[2] for origin in index.origins(parent.func)}
            if names & set(KERNEL) or last_name(parent.func) in KERNEL:
                return True
    return False


def _is_handed_over(index: Index, node: Function) -> bool:
    if not all(_only_calls(index, decorator) for decorator in node.decorator_list):
        return True
    loads = index.loads.get(index.variable(node, node.name), ())
    return any(not _is_call_of(index, load) for load in loads)


def _only_calls(index: Index, decorator: ast.expr) -> bool:
    names = index.origins(decorator.func if isinstance(decorator, ast.Call) else decorator)
    attribute = isinstance(decorator, ast.Attribute) and decorator.attr in ("setter", "getter", "deleter")
    return attribute or (bool(names) and all(ONLY_CALL.fullmatch(name) for name in names))


def _is_call_of(index: Index, node: ast.AST) -> bool:
    parent = index.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def _handed_methods(index: Index, words: set[str]) -> set[str]:
    """Names of attributes that are read other than to be called, or that a text holds."""
    attributes = (node for node in index.nodes if isinstance(node, ast.Attribute))
    return words | {node.attr for node in attributes if not _is_call_of(index, node)}


def _handed_classes(index: Index, exported: bool) -> set[ast.AST]:
    """Classes that are used other than to make or to tell objects, with the classes that they derive from."""
    classes = [node for node in index.nodes if isinstance(node, ast.ClassDef)]
    handed: set[ast.AST] = set()
    pending: list[ast.AST] = []
    for node in classes:
        loads = index.loads.get(index.variable(node, node.name), ())
        decorated = not all(_only_calls(index, decorator) for decorator in node.decorator_list)
        public = exported and not node.name.startswith("_")
        if decorated or public or any(not _is_plain_use(index, load) for load in loads):
            pending.append(node)
    while pending:
        each = pending.pop()
        if each in handed or not isinstance(each, ast.ClassDef):
            continue
        handed.add(each)
        for base in each.bases:
            if isinstance(base, ast.Name):
                pending += index.binders(index.variable(base, base.id))
    return handed


def _is_plain_use(index: Index, node: ast.AST) -> bool:
    """Does a use of a class's name only make an object, tell one, derive a class, catch or read a member?"""
    parent = index.parents[node]
    while isinstance(parent, (ast.Tuple, ast.BinOp, ast.Subscript)):
        node, parent = parent, index.parents[parent]
    if isinstance(parent, ast.Call):
        return parent.func is node or index.origins(parent.func) <= set(CLASS_TESTS)
    if isinstance(parent, (ast.ClassDef, ast.ExceptHandler, ast.Attribute, ast.MatchClass)):
        return True
    return isinstance(parent, ast.arg) or getattr(parent, "returns", None) is node or _is_annotation(parent, node)


def _is_annotation(parent: ast.AST, node: ast.AST) -> bool:
    return isinstance(parent, ast.AnnAssign) and parent.annotation is node
