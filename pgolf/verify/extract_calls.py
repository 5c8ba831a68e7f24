"""Where a module executes text: the calls that pgolf follows, and the ways that it cannot follow."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from pgolf.verify.extract_values import Evaluator

RUN_FILE = "runpy.run_path"
EXECUTE = ("exec", "builtins.exec", "__builtins__.exec", RUN_FILE)
EVALUATE = ("eval", "builtins.eval")
CODE_OBJECTS = ("marshal.loads", "types.CodeType", "types.FunctionType")


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
    """Code objects that are not text, and `exec` under another name."""
    direct = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names.dotted(node.func) in CODE_OBJECTS:
            yield f"line {node.lineno}: {names.dotted(node.func)} makes code that is not text"
        elif isinstance(node, ast.Name) and node.id == "exec" and id(node) not in direct:
            yield f"line {node.lineno}: exec under another name"
