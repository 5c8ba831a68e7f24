"""Real English text on any machine: the documentation inside Python's standard library.

Sources are the language reference that `help()` shows (`pydoc_data.topics`) and the docstrings of modules, classes and
functions. Files are parsed, never imported: importing runs code, needs what a distribution may have split off, and
would make the text depend on the platform.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path

# Third-party code, and text about nothing but itself.
SKIPPED_FOLDERS = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "ensurepip"}
SHORTEST = 200
LONGEST = 6000


def standard_library() -> Path:
    """Folder of the running Python's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def collect_documents(folder: Path) -> list[str]:
    """Raw documents of SHORTEST to about LONGEST characters, in order of file name, no passage twice.

    Args:
        folder: a standard library; any folder of Python files will do.

    Returns:
        Texts with their line structure; empty when the folder holds no documentation.
    """
    seen: set[str] = set()
    documents: list[str] = []
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        if SKIPPED_FOLDERS.isdisjoint(path.relative_to(folder).parts[:-1]):
            for passages in grouped_passages(path):
                fresh = [passage for passage in passages if not already_seen(passage, seen)]
                documents += pieces("\n\n".join(fresh))
    return [document for document in documents if len(document) >= SHORTEST]


def grouped_passages(path: Path) -> Iterator[list[str]]:
    """Passages of one document each: the module's docstring, each class, all functions; or each help topic."""
    tree = parse(path)
    if tree is None:
        return
    if path.name == "topics.py":
        yield from ([topic] for topic in help_topics(tree))
        return
    yield docstrings(tree, nested=False)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield docstrings(node, nested=True)
    functions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    yield [text for node in functions for text in docstrings(node, nested=True)]


def parse(path: Path) -> ast.Module | None:
    """The file's tree, or None where this Python cannot read it (templates, other versions)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in old docstrings
            return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError, RecursionError):
        return None


def help_topics(tree: ast.Module) -> list[str]:
    """Values of the one dictionary that `pydoc_data/topics.py` assigns."""
    for node in tree.body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict):
            return [
                item.value for item in value.values if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
    return []


def docstrings(node: ast.AST, nested: bool) -> list[str]:
    """Cleaned docstrings of a definition and, if `nested`, of every definition inside it, with their names."""
    found: list[str] = []
    for item in ast.walk(node) if nested else [node]:
        if not isinstance(item, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        text = ast.get_docstring(item, clean=False)
        if text and text.strip():
            name = "" if isinstance(item, ast.Module) else f"{item.name}: "
            found.append(name + inspect.cleandoc(text))
    return found


def already_seen(passage: str, seen: set[str]) -> bool:
    """Has a passage with the same letters and digits been seen? Case, spacing and punctuation do not count."""
    folded = "".join(character for character in passage.casefold() if character.isalnum())
    key = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()
    if key in seen:
        return True
    seen.add(key)
    return False


def pieces(text: str) -> list[str]:
    """Cut at blank lines into pieces of at most LONGEST characters, longer only where one paragraph is."""
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        if found and len(found[-1]) + len(paragraph) + 2 <= LONGEST:
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    return found
