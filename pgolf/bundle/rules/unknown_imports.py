"""Rules of the bundleable subset about imports, of the program's own modules and of others."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

from pgolf.bundle.source import imported_modules, is_build_time
from pgolf.bundle.toplevel import optional_names
from pgolf.bundle.view import BUILD_TIME, Findings, View

PACKAGES = ("torch", "numpy", "sentencepiece", "brotli", "triton")
OPTIONAL = ("flash_attn_interface", "flash_attn", "brotli", "zstandard", "lzma", "bz2", "zlib", "triton", "torch")
HOLLOW = ("concurrent", "dbm", "email", "html", "http", "urllib", "wsgiref", "xml")
DEFEATING = (
    *("importlib", "inspect", "builtins", "runpy", "pkgutil", "zipimport", "code", "codeop", "timeit", "trace"),
    *("pdb", "bdb", "dis", "gc", "unittest", "doctest", "__main__", "site", "antigravity", "this", "pydoc"),
)
UNIMPORTED = re.compile(r"torch\.nn\.attention\.(flex_attention|varlen|bias|experimental)")
PICKLING = ("pickle", "marshal", "shelve", "copyreg", "pickletools")


def unlinkable_imports(view: View) -> Findings:
    """PG302: an internal import has a form that cannot be linked."""
    for node in view.imports():
        for message in _internal_import(view, node):
            help = "write `from package.module import Name` at the top of the file"
            yield view.module.finding("PG302", node, message, help)
    for use in view.named(lambda name: name.startswith(BUILD_TIME)):
        if isinstance(use, ast.Name):
            help = "only hooks and PLUGIN may use what pgolf itself exports"
            yield view.module.finding("PG302", use, f"{use.id!r} exists at build time only", help)


def _internal_import(view: View, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.level:
        yield "a relative import leads out of the package"
        return
    internal = [name for name in imported_modules(node) if view.is_internal(name)]
    if not internal:
        return
    missing = [name for name in internal if name not in view.modules and not is_build_time(name)]
    if missing and node in view.module.tree.body:
        yield f"{missing[0]} has no source file among the program's"
        return
    if node not in view.module.tree.body:
        yield "an internal import below the top level cannot be linked"
    elif isinstance(node, ast.Import):
        yield "an internal module is imported whole"
    elif any(alias.name == "*" for alias in node.names):
        yield "a star import hides which names it binds"


def unavailable_imports(view: View) -> Findings:
    """PG303: an external import is not on the allow-list."""
    for node in view.imports():
        for name in imported_modules(node):
            if view.is_internal(name) or name == "__future__":
                continue
            message = _external_import(view, node, name)
            if message:
                help = "the standard library, torch, numpy and sentencepiece can be imported, at the top of the file"
                yield view.module.finding("PG303", node, message, help)
    for use in view.named(UNIMPORTED.fullmatch):
        if isinstance(use, ast.Attribute):
            help = f"from {view.full(use.value)} import {use.attr} first"
            yield view.module.finding("PG303", use, f"{view.full(use)} is there only once it is imported", help)


def _external_import(view: View, node: ast.Import | ast.ImportFrom, name: str) -> str:
    root = name.partition(".")[0]
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return "a star import hides which names it binds"
    if root in DEFEATING or root in PICKLING:
        return ""  # PG305 and PG313
    tried = optional_names(view.parents[node])
    if tried and root not in OPTIONAL:
        return f"{name} is not a package that may be missing"
    if node not in view.module.tree.body and not tried:
        return "" if root in OPTIONAL else f"{name} is imported inside a function"
    if not tried and root not in PACKAGES and root not in sys.stdlib_module_names:
        return f"{name} is not a package that a built file may import"
    if isinstance(node, ast.Import) and root in HOLLOW and name == root:
        return f"{name} holds its modules only once each is imported"
    dotted = isinstance(node, ast.Import) and any(alias.name == name and not alias.asname for alias in node.names)
    return f"`import {name}` binds {root}: import from it, or name it with `as`" if dotted and "." in name else ""


def pickled_code(view: View) -> Findings:
    """PG313: an artifact would hold classes or functions."""
    for node in view.imports():
        for name in imported_modules(node):
            if name.partition(".")[0] in PICKLING:
                help = "write bytes, or tensors with torch.save"
                yield view.module.finding("PG313", node, f"{name} stores code by name", help)
    for use in view.code(ast.Call):
        if view.full(use.func) in ("torch.load", "numpy.load"):
            wanted = ("weights_only", True) if view.full(use.func) == "torch.load" else ("allow_pickle", False)
            said = [(word.arg, word.value.value) for word in use.keywords if isinstance(word.value, ast.Constant)]
            if wanted not in said:
                help = f"pass {wanted[0]}={wanted[1]}"
                yield view.module.finding("PG313", use, f"{view.full(use.func)} may read pickled code", help)
