"""Statements of the top level other than definitions: imports that may fail, kernels that need them, what operators register.

    try:                                    @torch.library.custom_op("lab::twice", mutates_args=())
        import triton                       def twice(x: Tensor) -> Tensor: ...
        import triton.language as tl
    except ImportError:                     @twice.register_fake
        triton = tl = None                  def twice_fake(x): ...

    if triton is not None:                  twice.register_autograd(backward, setup_context=keep)

        @triton.jit
        def kernel(...): ...

The imports are one statement, and so are the kernels below one `if`. What is registered for an operator is part of the program
where the operator is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

REGISTERS = ("register_fake", "register_autograd", "register_kernel", "register_vmap")
MISSING = ("ImportError", "ModuleNotFoundError")


def optional_names(node: ast.AST) -> tuple[str, ...]:
    """Names that a `try` of imports binds, to None where one of them fails; nothing for any other statement."""
    if not isinstance(node, ast.Try) or node.orelse or node.finalbody or len(node.handlers) != 1:
        return ()
    handler = node.handlers[0]
    if not isinstance(handler.type, ast.Name) or handler.type.id not in MISSING or handler.name:
        return ()
    if not all(isinstance(item, (ast.Import, ast.ImportFrom)) for item in node.body):
        return ()
    imported = [alias.asname or alias.name.partition(".")[0] for item in imports_of(node) for alias in item.names]
    given: list[str] = []
    for item in handler.body:
        if not isinstance(item, ast.Assign) or ast.unparse(item.value) != "None":
            return ()
        if not all(isinstance(target, ast.Name) for target in item.targets):
            return ()
        given += [target.id for target in item.targets if isinstance(target, ast.Name)]
    return tuple(dict.fromkeys(imported)) if sorted(set(imported)) == sorted(given) else ()


def imports_of(node: ast.AST) -> list[ast.Import | ast.ImportFrom]:
    """The import statements that a top-level statement is or, where it is a `try`, holds."""
    body = node.body if isinstance(node, ast.Try) else [node]
    return [item for item in body if isinstance(item, (ast.Import, ast.ImportFrom))]


def guard(node: ast.AST) -> str:
    """NAME of `if NAME is not None:` with functions below it and no `else`; empty for any other statement."""
    test = node.test if isinstance(node, ast.If) and not node.orelse else None
    if not isinstance(node, ast.If) or not isinstance(test, ast.Compare) or not isinstance(test.left, ast.Name):
        return ""
    same = len(test.ops) == 1 and isinstance(test.ops[0], ast.IsNot) and ast.unparse(test.comparators[0]) == "None"
    return test.left.id if same and all(isinstance(item, ast.FunctionDef) for item in node.body) else ""


def functions_of(node: ast.AST) -> list[ast.FunctionDef]:
    """The function that a top-level statement is, or those below its guard."""
    body = node.body if isinstance(node, ast.If) and guard(node) else [node]
    return [item for item in body if isinstance(item, ast.FunctionDef)]


def operator_keys(node: ast.AST) -> tuple[str, ...]:
    """The name of a function under `custom_op`, and the operator's."""
    for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
        if isinstance(mark, ast.Call) and _last(mark.func) == "custom_op" and isinstance(node, ast.FunctionDef):
            return (node.name, *_operator_name(mark))
    return ()


def registration(node: ast.AST) -> tuple[str, str]:
    """(key of the operator, a name for what is registered) of `twice.register_autograd(...)` and its like, else empty texts.

    Either the operator's function is named, or a text such as "lab::twice" is the first argument.
    """
    calls: list[ast.expr] = [node.value] if isinstance(node, ast.Expr) else []
    calls += node.decorator_list if isinstance(node, ast.FunctionDef) else []
    for call in calls:
        func = call.func if isinstance(call, ast.Call) else call
        what = _last(func)
        if what not in REGISTERS:
            continue
        first = call.args[0] if isinstance(call, ast.Call) and call.args else None
        named = _operator_name(call) if isinstance(call, ast.Call) else ()
        if named:
            return named[0], f"{named[0]} {what}"
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            device = f" {first.value}" if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
            return func.value.id, f"{func.value.id} {what}{device}"
        if isinstance(first, ast.Name):
            return first.id, f"{first.id} {what}"
    return "", ""


def registrations(nodes: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    """(key of the operator, statement) of everything that is registered."""
    for node in nodes:
        key = registration(node)[0]
        if key:
            yield key, node


def _operator_name(call: ast.Call) -> tuple[str, ...]:
    first = call.args[0] if call.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return (text,) if "::" in text else ()


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
