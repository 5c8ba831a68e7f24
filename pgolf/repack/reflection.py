"""Which names let a script, or a library that it calls, look at the script itself, and what each of them forbids."""

from __future__ import annotations

import ast
import re

from pgolf.repack.evidence import (
    ANNOTATIONS,
    FUNCTION_NAMES,
    GLOBALS,
    LATIN1,
    LITERALS,
    LOCALS,
    PACKING,
    TEXT,
    Evidence,
)
from pgolf.repack.index import Index, is_idle, last_name

Effect = tuple[str, tuple[str, ...]]
RUNS_TEXT: Effect = ("it runs text that may name any variable", (LOCALS, GLOBALS))
SHOWS: Effect = ("it shows variables by name", (LOCALS, GLOBALS))
FRAMES: Effect = ("it shows variables and functions by name", (LOCALS, GLOBALS, FUNCTION_NAMES))
REACHES: Effect = ("it may reach this module by name", (GLOBALS,))
READS_DOCS: Effect = ("it reads docstrings", (LITERALS,))
READS_TYPES: Effect = ("it reads annotations", (ANNOTATIONS,))
READS_SOURCE: Effect = ("it reads the source text", (TEXT,))
FINDS_FILE: Effect = ("the code of a packed file has a file name of its own", (PACKING,))
KNOWS_FILE: Effect = ("it may lead to the script's file", (LATIN1,))

BUILTINS: dict[str, Effect] = {
    "eval": RUNS_TEXT,
    "exec": RUNS_TEXT,
    "compile": RUNS_TEXT,
    "help": READS_DOCS,
    "__doc__": READS_DOCS,
    "__spec__": KNOWS_FILE,
    "__loader__": KNOWS_FILE,
    "__annotations__": READS_TYPES,
    "__builtins__": RUNS_TEXT,
}
"""Names that the script does not bind."""
IMPORTED: dict[str, Effect] = {
    "signature": READS_TYPES,
    "getfullargspec": READS_TYPES,
    "get_type_hints": READS_TYPES,
    "get_annotations": READS_TYPES,
    "singledispatch": READS_TYPES,
    "singledispatchmethod": READS_TYPES,
    "infer_schema": READS_TYPES,
    "getmembers": READS_TYPES,
    "getdoc": READS_DOCS,
    "getsource": READS_SOURCE,
    "getsourcelines": READS_SOURCE,
    "getcomments": READS_SOURCE,
    "getsourcefile": FINDS_FILE,
    "getfile": FINDS_FILE,
    "getabsfile": FINDS_FILE,
    "findsource": READS_SOURCE,
    "currentframe": FRAMES,
    "_getframe": FRAMES,
    "_getframemodulename": FRAMES,
    "getclosurevars": SHOWS,
    "stack": ("it shows variables and functions by name", (LOCALS, GLOBALS, FUNCTION_NAMES, PACKING)),
    "trace": ("it shows variables and functions by name", (LOCALS, GLOBALS, FUNCTION_NAMES, PACKING)),
    "extract_stack": ("it shows functions by name", (FUNCTION_NAMES,)),
    "extract_tb": ("it shows functions by name", (FUNCTION_NAMES,)),
    "walk_stack": FRAMES,
    "walk_tb": FRAMES,
    "settrace": FRAMES,
    "setprofile": FRAMES,
    "reload": REACHES,
    "spec_from_file_location": REACHES,
    "module_from_spec": REACHES,
    "builtins": RUNS_TEXT,
}
"""Last words of what is imported, for any library; `inspect` and `sys` are those that matter for `stack` and `trace`."""
ONLY_OF = {"stack": "inspect", "trace": "inspect", "extract_stack": "traceback", "extract_tb": "traceback"}
MODULES: dict[str, Effect] = {
    "__main__": ("it reaches top-level names from outside", (GLOBALS,)),
    "runpy": ("it may run this script or another by name", (GLOBALS, LATIN1)),
    "linecache": READS_SOURCE,
    "doctest": ("it runs docstrings as text", (LITERALS, GLOBALS)),
    "numexpr": SHOWS,
    "docopt": READS_DOCS,
    "plac": READS_DOCS,
    "typer": READS_DOCS,
    "click": READS_DOCS,
    "fire": ("it shows functions, docstrings and top-level names", (LITERALS, ANNOTATIONS, GLOBALS)),
    "tyro": ("it reads docstrings and comments of the source", (LITERALS, ANNOTATIONS, TEXT)),
    "simple_parsing": ("it reads docstrings and comments of the source", (LITERALS, ANNOTATIONS, TEXT)),
    "jsonargparse": ("it reads docstrings and annotations", (LITERALS, ANNOTATIONS)),
    "beartype": READS_TYPES,
    "typeguard": READS_TYPES,
    "pdb": FRAMES,
}
"""Packages that a script imports."""
ATTRIBUTES: dict[str, Effect] = {
    "f_locals": SHOWS,
    "f_globals": SHOWS,
    "f_builtins": SHOWS,
    "__globals__": SHOWS,
    "__builtins__": RUNS_TEXT,
    "__code__": FRAMES,
    "f_code": FRAMES,
    "co_filename": FINDS_FILE,
    "co_name": ("it reads a function's name", (FUNCTION_NAMES,)),
    "co_qualname": ("it reads a function's name", (FUNCTION_NAMES,)),
    "__doc__": READS_DOCS,
    "__annotations__": READS_TYPES,
    "__spec__": KNOWS_FILE,
    "__loader__": KNOWS_FILE,
}
"""Attributes of any object, also where their name is a text."""
IMPORTERS = {"__import__", "importlib.import_module"}
JIT_SCRIPT = re.compile(r"torch\.(\w+\.)*jit\.(\w+\.)*(script|script_if_tracing|script_method|export|interface)")
LOG_FORMAT = re.compile(r"%\(funcName\)|\{funcName|\{record\[\"?'?function|\{function\}")
FRAME_QUERIES = ("eval", "query", "evaluate")
"""Methods of tables that look up the names of a text in the frame of their caller."""


def look(index: Index, evidence: Evidence) -> None:
    """Note every name and text that shows the script to itself."""
    for node in index.nodes:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                _name(index, evidence, node)
        elif isinstance(node, ast.Attribute):
            _attribute(index, evidence, node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            _import(evidence, node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_idle(index.parents[node]):
            _text(index, evidence, node, node.value)
        if getattr(node, "type_params", None) or type(node).__name__ == "TypeAlias":
            evidence.add(node, "type parameters have scopes of their own", LOCALS, GLOBALS, ANNOTATIONS)


def _forbid(evidence: Evidence, node: ast.AST, name: str, effect: Effect) -> None:
    evidence.add(node, f"`{name}`: {effect[0]}", *effect[1])


def _name(index: Index, evidence: Evidence, node: ast.Name) -> None:
    origins = index.origins(node)
    for name in sorted(origins & BUILTINS.keys()):
        _forbid(evidence, node, name, BUILTINS[name])
        if BUILTINS[name] is RUNS_TEXT:
            _runs(index, evidence, node, name)
    if origins & IMPORTERS:
        _imports_by_text(index, evidence, node)
    for name in ("locals", "vars", "dir", "globals"):
        if name in origins:
            _lists_variables(index, evidence, node, name)


def _attribute(index: Index, evidence: Evidence, node: ast.Attribute) -> None:
    origins = index.origins(node)
    for origin in sorted(origins):
        name = origin.rpartition(".")[2]
        if "." not in origin and origin in BUILTINS:  # of the module `builtins`
            _forbid(evidence, node, name, BUILTINS[origin])
            _runs(index, evidence, node, name)
        elif not origin.startswith("."):
            _imported(evidence, node, origin)
    if origins & IMPORTERS:
        _imports_by_text(index, evidence, node)
    if node.attr in ATTRIBUTES:
        _forbid(evidence, node, node.attr, ATTRIBUTES[node.attr])
    if "sys.modules" in origins:
        _forbid(evidence, node, "sys.modules", REACHES)
    parent = index.parents.get(node)
    if node.attr in FRAME_QUERIES and isinstance(parent, ast.Call) and parent.func is node and parent.args:
        _forbid(evidence, node, node.attr, SHOWS)


def _imported(evidence: Evidence, node: ast.AST, origin: str) -> None:
    """Something of a library, by its full name."""
    package, name = origin.partition(".")[0], origin.rpartition(".")[2]
    if name in IMPORTED and ONLY_OF.get(name, package) == package:
        _forbid(evidence, node, name, IMPORTED[name])
    if JIT_SCRIPT.fullmatch(origin):
        evidence.add(node, f"`{name}`: torch.jit compiles the source text", ANNOTATIONS, LOCALS, GLOBALS, LITERALS)


def _import(evidence: Evidence, node: ast.Import | ast.ImportFrom) -> None:
    for alias in node.names:
        module = alias.name if isinstance(node, ast.Import) else node.module or ""
        package = module.partition(".")[0]
        if package in MODULES:
            _forbid(evidence, node, package, MODULES[package])
        if isinstance(node, ast.ImportFrom) and alias.name == "*":
            evidence.add(node, f"`from {module} import *` brings names that are not in the text", LOCALS, GLOBALS)
        elif isinstance(node, ast.ImportFrom):
            full = f"{module}.{alias.name}"
            _imported(evidence, node, full)
            if module == "builtins" and alias.name in BUILTINS:
                evidence.add(node, f"`{alias.name}`: {RUNS_TEXT[0]}", LOCALS, GLOBALS, LATIN1)
            if full == "sys.modules":
                _forbid(evidence, node, full, REACHES)


def _runs(index: Index, evidence: Evidence, node: ast.AST, name: str) -> None:
    """Code that is not in the text may read the script's file; a literal is in the text."""
    parent = index.parents.get(node)
    direct = isinstance(parent, ast.Call) and parent.func is node and parent.args
    if not (direct and isinstance(parent, ast.Call) and isinstance(parent.args[0], ast.Constant)):
        evidence.add(node, f"`{name}`: what it runs may read this file as text", LATIN1)


def _imports_by_text(index: Index, evidence: Evidence, node: ast.AST) -> None:
    """`import_module(...)` of a text that is there is an ordinary import."""
    parent = index.parents.get(node)
    first = parent.args[:1] if isinstance(parent, ast.Call) and parent.func is node else []
    if not first or not _is_text(first[0]):
        _forbid(evidence, node, last_name(node), REACHES)
        evidence.add(node, f"`{last_name(node)}`: what it imports may read this file as text", LATIN1)


def _text(index: Index, evidence: Evidence, node: ast.AST, text: str) -> None:
    words = set(re.findall(r"[^\W\d]\w*", text))
    evidence.words |= words
    for name in sorted(ATTRIBUTES.keys() & words):
        _forbid(evidence, node, name, ATTRIBUTES[name])
    if LOG_FORMAT.search(text):
        evidence.add(node, "a log format shows functions by name", FUNCTION_NAMES)
    if text == "__main__" and not isinstance(index.parents.get(node), ast.Compare):
        _forbid(evidence, node, text, MODULES["__main__"])
    if text in ("eval", "exec") and isinstance(index.parents.get(node), (ast.Call, ast.Subscript)):
        evidence.add(node, f"{text!r}: {RUNS_TEXT[0]}", LOCALS, GLOBALS, LATIN1)


def _lists_variables(index: Index, evidence: Evidence, node: ast.Name, name: str) -> None:
    """`vars(x)` lists attributes; without an argument it lists variables. `globals()["x"]` reads one whose name is a text."""
    parent = index.parents.get(node)
    called = isinstance(parent, ast.Call) and parent.func is node
    if called and isinstance(parent, ast.Call) and parent.args and name in ("vars", "dir"):
        return
    functions = index.functions_around(node)
    at_top = name == "globals" or not functions
    if at_top:
        if not (called and isinstance(parent, ast.Call) and _reads_one(index, parent)):
            evidence.add(node, f"`{name}`: it shows every top-level name", GLOBALS)
        return
    evidence.frames.update(functions)
    if not called:
        evidence.add(node, f"`{name}` is handed on", LOCALS)


def _reads_one(index: Index, call: ast.Call) -> bool:
    """Is this `"x" in globals()`, `globals()["x"]` or `globals().get("x")`, with a text whose words are known?"""
    parent = index.parents.get(call)
    if isinstance(parent, ast.Subscript):
        return parent.value is call and _is_text(parent.slice)
    if isinstance(parent, ast.Compare):
        contains = len(parent.ops) == 1 and isinstance(parent.ops[0], (ast.In, ast.NotIn))
        return contains and parent.left is not call and _is_text(parent.left)
    method = index.parents.get(parent) if isinstance(parent, ast.Attribute) else None
    if isinstance(method, ast.Call) and isinstance(parent, ast.Attribute) and method.func is parent:
        return parent.attr in ("get", "pop", "setdefault") and bool(method.args) and _is_text(method.args[0])
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
