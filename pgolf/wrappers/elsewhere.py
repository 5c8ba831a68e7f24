"""Programs that a script runs or imports from outside of its folder: they are not in front of the reader."""

from __future__ import annotations

import ast
import posixpath
import shlex
from collections.abc import Iterator
from pathlib import PurePosixPath

from pgolf.wrappers.decoders import Undecodable
from pgolf.wrappers.values import Evaluator

PROCESS_CALLS = frozenset(
    {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen", "getoutput")}
    | {"subprocess.getstatusoutput", "os.system", "os.popen", "os.execv", "os.execvp", "os.execvpe", "os.spawnv"}
)
"""Calls that start another program."""
LOADERS = (
    "importlib.util.spec_from_file_location",
    "importlib.machinery.SourceFileLoader",
    "importlib.machinery.SourcelessFileLoader",
)
SEARCH = ("sys.path.insert", "sys.path.append", "site.addsitedir")
SCRIPTS = (".py", ".pyc", ".sh")
PYTHON = ("python", "python3", "torchrun")
WORDS = 40


def is_outside(path: str) -> bool:
    """Does a path of the folder lead out of it?"""
    name = posixpath.normpath(path)
    return name.startswith("/") or name == ".." or name.startswith("../")


def started(tree: ast.Module, names: Evaluator) -> Iterator[str]:
    """Scripts that are started or loaded and lie outside, or whose place is not known."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name, seen = names.dotted(node.func), ""
        if name in PROCESS_CALLS:
            seen = _command(_words(node.args[-1] if name.startswith("os.exec") else node.args[0], names))
        elif name in LOADERS and len(node.args) > 1:
            place = _path(node.args[1], names)
            if place is None:
                seen = "loads a file whose name is worked out while running"
            elif is_outside(place):
                seen = f"loads {place[:80]}, which lies outside of the folder"
        if seen:
            yield f"line {node.lineno}: {seen}"


def search_paths(tree: ast.Module, names: Evaluator) -> Iterator[str]:
    """Folders outside, or not known, in which the script looks for modules."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or names.dotted(node.func) not in SEARCH:
            continue
        place = _path(node.args[-1], names)
        if place is None:
            yield f"line {node.lineno}: looks for modules in a folder whose name is worked out while running"
        elif is_outside(place):
            yield f"line {node.lineno}: looks for modules in {place[:80]}, outside of the folder"


def _path(node: ast.expr, names: Evaluator) -> str | None:
    try:
        value = names.value(node)
    except (Undecodable, RecursionError, MemoryError):
        return None
    if isinstance(value, (str, PurePosixPath)):
        return str(value)
    return None


def _words(node: ast.expr, names: Evaluator) -> list[str | None]:
    """The words of a command; None for one that is not known, [] for a command that is not."""
    if isinstance(node, ast.Name):
        bound = names.nodes.get(node.id, [])
        node = bound[0] if len(bound) == 1 and bound[0] is not None else node
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_word(item, names) for item in node.elts[:WORDS]]
    text = _path(node, names)
    if text is None:
        return []
    try:
        return list(shlex.split(text)[:WORDS])
    except ValueError:
        return list(text.split()[:WORDS])


def _word(node: ast.expr, names: Evaluator) -> str | None:
    if isinstance(node, ast.Attribute) and node.attr == "executable":
        return "python"
    return _path(node, names)


def _command(words: list[str | None]) -> str:
    """What is wrong with a command, or ""."""
    for word in words:
        if word is not None and word.endswith(SCRIPTS) and is_outside(word):
            return f"starts {word[:80]}, which lies outside of the folder"
    if not words or words[0] is None or posixpath.basename(words[0]) not in PYTHON:
        return ""
    if "-c" in words:
        return "starts Python with a text"
    if "-m" in words or any(word is not None and word.endswith(SCRIPTS) for word in words):
        return ""
    return "starts Python with a script whose name is worked out while running" if None in words else ""
