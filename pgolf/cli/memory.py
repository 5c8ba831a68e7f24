"""What a build of `--watch` made, and whether everything that decided it is still the same."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgolf.bundle.pipeline import Built


@dataclass(frozen=True)
class Kept:
    """A finished build and everything that decided it."""

    entry: str
    options: tuple[Any, ...]
    trees: Mapping[str, tuple[Path, str]]
    built: Built


class Memory:
    """`pipeline.build` that gives the last result again where nothing that decides it has changed.

    The stages see syntax trees alone, so a module counts as unchanged while its tree without docstrings is the same.
    """

    def __init__(self, build: Callable[..., Built], kept: Kept | None):
        self.make, self.kept = build, kept
        self.reused = False
        self.trees: dict[str, tuple[Path, str]] = {}

    def build(self, entry: str, find_source: Callable[[str], Path | None], **options: Any) -> Built:
        """The stages, or their last result."""
        key = tuple(sorted(options.items()))
        if self.kept is not None and (self.kept.entry, self.kept.options) == (entry, key):
            self.trees = {name: (path, tree_hash(path)) for name, (path, _) in self.kept.trees.items()}
            if self.trees == self.kept.trees and all(
                find_source(name) == path for name, (path, _) in self.trees.items()
            ):
                self.reused = True
                return self.kept.built
        self.trees = {}

        def find(module: str) -> Path | None:
            path = find_source(module)
            if path is not None and module not in self.trees:
                self.trees[module] = (path, tree_hash(path))
            return path

        built = self.make(entry, find, **options)
        self.kept = Kept(entry, key, dict(self.trees), built)
        return built


def tree_hash(path: Path) -> str:
    """Hash of a module's syntax tree without docstrings and without places; of its bytes where it does not parse."""
    try:
        data = path.read_bytes()
    except OSError:
        return "unreadable"
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return hashlib.sha256(data).hexdigest()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                first.value.value = ""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
