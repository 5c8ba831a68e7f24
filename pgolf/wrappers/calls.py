"""Where a module executes text: the calls that pgolf follows, and the ways that it cannot follow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pgolf.wrappers.values import Evaluator

RUN_FILE = "runpy.run_path"
EXECUTE = ("exec", "builtins.exec", "__builtins__.exec", RUN_FILE)
EVALUATE = ("eval", "builtins.eval", "__builtins__.eval")
CODE_OBJECTS = ("marshal.loads", "types.CodeType", "types.FunctionType")
IMPORTERS = ("__import__", "importlib.import_module", "runpy.run_module")


def executed(tree: ast.Module, names: Evaluator) -> Iterator[ast.Call]:
    """Calls of `exec` and `runpy.run_path`, and `eval(compile(...))`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, inner = names.dotted(node.func), node.args[0]
        compiled = isinstance(inner, ast.Call) and names.dotted(inner.func) == "compile"
        if name in EXECUTE or (name in EVALUATE and compiled):
            yield node


def unseen(tree: ast.Module, names: Evaluator) -> Iterator[str]:
    """Code objects that are not text, texts and modules whose name is worked out, and `exec` under another name."""
    direct = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        seen = ""
        if isinstance(node, ast.Call):
            seen = _call(node, names)
        elif isinstance(node, ast.Name) and node.id in ("exec", "eval") and id(node) not in direct:
            seen = f"{node.id} under another name"
        elif isinstance(node, ast.Attribute) and id(node) not in direct:
            name = names.dotted(node)
            seen = f"{node.attr} under another name" if name in EXECUTE or name in EVALUATE else ""
        if seen:
            yield f"line {getattr(node, 'lineno', 0)}: {seen}"


def _call(node: ast.Call, names: Evaluator) -> str:
    name = names.dotted(node.func)
    if name in CODE_OBJECTS:
        return f"{name} makes code that is not text"
    first = node.args[0] if node.args else None
    if first is None:
        return ""
    if name in EVALUATE and not (isinstance(first, ast.Call) and names.dotted(first.func) == "compile"):
        return "" if _is_text(first, names) else "eval of something that is worked out while running"
    if name in IMPORTERS and not _is_text(first, names):
        return "an import whose name is worked out while running"
    if name == "getattr" and names.dotted(first) in ("builtins", "__builtins__"):
        return "a builtin under another name"
    return ""


def _is_text(node: ast.expr, names: Evaluator) -> bool:
    from pgolf.wrappers.decoders import Undecodable

    try:
        return isinstance(names.value(node), (str, bytes))
    except (Undecodable, RecursionError, MemoryError):
        return False
