"""What in a script forbids what: each fact that makes a change unsafe, with the line that shows it. Nothing is executed."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgolf.bundle.names import FUNCTIONS, Scope, scopes
from pgolf.bundle.source import dotted, last_name

LITERALS, ANNOTATIONS, LOCALS, GLOBALS, FUNCTION_NAMES, PACKING, LATIN1, TEXT = (
    "literals",
    "annotations",
    "locals",
    "globals",
    "function names",
    "packing",
    "latin1",
    "text",
)
MEANING = {
    LITERALS: "dropping docstrings and literal statements",
    ANNOTATIONS: "dropping annotations",
    LOCALS: "renaming local variables",
    GLOBALS: "renaming top-level names",
    FUNCTION_NAMES: "renaming functions",
    PACKING: "packing",
    LATIN1: "the latin1 form",
    TEXT: "change of the text",
}
# Attribute or plain name -> what reading it forbids, and why.
NAMES: dict[str, tuple[tuple[str, ...], str]] = {
    "eval": ((LOCALS, GLOBALS), "it runs text that may name any variable"),
    "exec": ((LOCALS, GLOBALS), "it runs text that may name any variable"),
    "compile": ((LOCALS, GLOBALS), "it may compile text that names any variable"),
    "__import__": ((GLOBALS,), "it may reach this module by name"),
    "importlib": ((GLOBALS,), "it may reach this module by name"),
    "__main__": ((GLOBALS,), "it reaches top-level names from outside"),
    "globals": ((GLOBALS, PACKING), "it shows every top-level name"),
    "_getframe": ((LOCALS, GLOBALS), "it shows variables by name"),
    "currentframe": ((LOCALS, GLOBALS), "it shows variables by name"),
    "f_locals": ((LOCALS,), "it shows variables by name"),
    "f_globals": ((GLOBALS,), "it shows variables by name"),
    "__globals__": ((GLOBALS,), "it shows variables by name"),
    "__code__": ((LOCALS, FUNCTION_NAMES), "it shows variables by name"),
    "__doc__": ((LITERALS,), "it reads docstrings"),
    "getdoc": ((LITERALS,), "it reads docstrings"),
    "help": ((LITERALS,), "it reads docstrings"),
    "__annotations__": ((ANNOTATIONS,), "it reads annotations"),
    "get_type_hints": ((ANNOTATIONS,), "it reads annotations"),
    "get_annotations": ((ANNOTATIONS,), "it reads annotations"),
    "signature": ((ANNOTATIONS,), "it reads annotations"),
    "getfullargspec": ((ANNOTATIONS,), "it reads annotations"),
    "singledispatch": ((ANNOTATIONS,), "it reads annotations"),
    "infer_schema": ((ANNOTATIONS,), "it reads annotations"),
    "script": ((ANNOTATIONS, LOCALS, GLOBALS, LITERALS), "torch.jit compiles the source text"),
    "__name__": ((FUNCTION_NAMES,), "it may read a function's name"),
    "__qualname__": ((FUNCTION_NAMES,), "it may read a function's name"),
    "pickle": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "dill": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "cloudpickle": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "multiprocessing": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "ProcessPoolExecutor": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "joblib": ((FUNCTION_NAMES,), "functions are pickled by name"),
    "getsource": ((TEXT,), "it reads the source text"),
    "getsourcelines": ((TEXT,), "it reads the source text"),
    "linecache": ((TEXT,), "it reads the source text"),
}
SAFE_DECORATORS = re.compile(
    r"staticmethod|classmethod|property|(\w+\.)?(setter|getter|no_grad|inference_mode|enable_grad|cache|lru_cache|wraps"
    r"|contextmanager|abstractmethod|cached_property|dataclass|compile|total_ordering)"
    r"|(torch\.)?(compile|compiler\.disable|no_grad|inference_mode|enable_grad|_dynamo\.disable)"
    r"|functools\.\w+|contextlib\.\w+|abc\.\w+|dataclasses\.dataclass"
)
READS_TEXT = ("read_text", "open", "read", "readlines", "getsize", "stat")


@dataclass(frozen=True)
class Reason:
    """One change that is not made: which, the line that forbids it (0 for none), and why."""

    what: str
    line: int
    why: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}no {MEANING[self.what]}: {self.why}"

    def as_record(self) -> dict[str, str | int]:
        """For `--json`."""
        return {"change": self.what, "line": self.line, "why": self.why}


@dataclass
class Evidence:
    """Everything found about a script.

    Attributes:
        reasons: what is forbidden as a whole.
        strings: names that a string of the script holds.
        kernels: functions whose source a compiler reads.
        tagged: functions whose names stay.
        annotated: functions whose annotations stay.
        frames: functions whose local variables something lists.
    """

    reasons: list[Reason] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    kernels: set[ast.AST] = field(default_factory=set)
    tagged: set[ast.AST] = field(default_factory=set)
    annotated: set[ast.AST] = field(default_factory=set)
    frames: set[ast.AST] = field(default_factory=set)

    def forbids(self, what: str) -> bool:
        """Is a change forbidden everywhere?"""
        whole = what not in (PACKING, LATIN1)  # these two leave the text as it is
        return any(reason.what == what or (whole and reason.what == TEXT) for reason in self.reasons)

    def add(self, what: str, node: ast.AST, why: str) -> None:
        """One reason, once for each line."""
        reason = Reason(what, getattr(node, "lineno", 0), why)
        if reason not in self.reasons:
            self.reasons.append(reason)


def gather(tree: ast.Module) -> Evidence:
    """Walk a script once and note what forbids what."""
    found = Evidence()
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    top, places = scopes(tree)
    declared = {name for name in top.bound if name not in dir(builtins)}
    own: set[ast.AST] = {
        node for node, place in places.items() if isinstance(node, ast.Name) and _is_bound(place, node.id)
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute, ast.alias)):
            _name(found, node, parents, own)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            _function(found, node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_idle(parents[node]):
            found.strings.update(_words(node.value, declared))
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            for what in (LOCALS, GLOBALS):
                found.add(what, node, f"`from {node.module} import *` brings names that are not in the text")
        if getattr(node, "type_params", None) or type(node).__name__ == "TypeAlias":
            for what in (LOCALS, GLOBALS, ANNOTATIONS):
                found.add(what, node, "type parameters have scopes of their own")
    return found


def _is_bound(place: Scope, name: str) -> bool:
    """Does the script itself bind a name that is used here?"""
    return name in place.resolve(name).bound


def is_idle(node: ast.AST) -> bool:
    """Is this a docstring, or another statement that is only a literal?"""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _words(text: str, declared: set[str]) -> Iterator[str]:
    """Names in a string: the whole string, or the words of one that looks like code or like a list of names."""
    if text.isidentifier():
        yield text
    elif ("\n" in text and re.search(r"[;{}()]", text)) or re.fullmatch(r"\w+([.,:] ?\w+)+", text):
        yield from declared.intersection(re.findall(r"[A-Za-z_]\w*", text))


def _name(found: Evidence, node: ast.AST, parents: dict[ast.AST, ast.AST], own: set[ast.AST]) -> None:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    names = [name] if name else getattr(node, "name", "").split(".")
    for name in names:
        if name in NAMES and not _is_harmless(node, name, parents, own):
            what, why = NAMES[name]
            for item in what:
                found.add(item, node, f"`{name}`: {why}")
    if isinstance(node, ast.Name) and node.id in ("locals", "vars", "dir") and node not in own:
        _lists_variables(found, node, parents)
    if isinstance(node, ast.Attribute) and dotted(node) == "sys.modules":
        found.add(GLOBALS, node, "`sys.modules`: it may reach this module by name")
    if isinstance(node, ast.Name) and node.id == "__file__":
        _reads_itself(found, node, parents)


def _is_harmless(node: ast.AST, name: str, parents: dict[ast.AST, ast.AST], own: set[ast.AST]) -> bool:
    """Is this use of a listed name another thing than the listed one?"""
    parent = parents.get(node)
    if isinstance(node, ast.Name):
        if node in own or not isinstance(node.ctx, ast.Load):
            return True
        constant_key = isinstance(parent, ast.Call) and isinstance(parents.get(parent), ast.Subscript)
        if name == "globals" and constant_key:
            key = getattr(parents.get(parent), "slice", None) if parent else None
            return isinstance(key, ast.Constant)  # the string itself keeps the name it holds
        return name == "__name__"  # the module's own
    if isinstance(node, ast.Attribute):
        methods = ("eval", "compile", "exec", "help", "script", "globals", "__main__")
        if name in methods:
            return name != "script" or dotted(node) not in ("torch.jit.script", "jit.script")
        if name == "__name__":
            return _of_a_class(node.value)
    return isinstance(node, ast.alias) and name in ("compile", "script", "help", "signature", "eval")


def _of_a_class(node: ast.expr) -> bool:
    """`type(x).__name__` and `x.__class__.__name__` read a class's name, which stays."""
    return (isinstance(node, ast.Call) and last_name(node) == "type") or last_name(node) == "__class__"


def _lists_variables(found: Evidence, node: ast.Name, parents: dict[ast.AST, ast.AST]) -> None:
    """`vars(x)` lists attributes; without an argument it lists variables."""
    parent = parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node and parent.args and node.id != "locals":
        return
    around: ast.AST | None = node
    inside = False
    while around is not None:
        if isinstance(around, FUNCTIONS):
            found.frames.add(around)
            inside = True
        around = parents.get(around)
    if not inside:
        for what in (GLOBALS, PACKING):
            found.add(what, node, f"`{node.id}`: it lists every top-level name")
    elif not (isinstance(parent, ast.Call) and parent.func is node):
        found.add(LOCALS, node, f"`{node.id}` is handed on")


def _reads_itself(found: Evidence, node: ast.AST, parents: dict[ast.AST, ast.AST]) -> None:
    """A file in Latin-1 cannot be read as UTF-8."""
    around: ast.AST | None = parents.get(node)
    folder = False
    while isinstance(around, ast.expr):
        name = last_name(around)
        folder = folder or name in ("parent", "dirname", "parents", "name", "stem", "basename", "read_bytes")
        if not folder and name in READS_TEXT:
            break
        around = parents.get(around)
    if not folder:
        found.add(LATIN1, node, "`__file__`: the script may read its own text as UTF-8")


def _function(found: Evidence, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    for decorator in node.decorator_list:
        name = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if last_name(decorator) in ("jit", "kernel", "heuristics", "autotune"):
            found.kernels.add(node)
        if not SAFE_DECORATORS.fullmatch(name):
            found.tagged.add(node)
            found.annotated.add(node)
