"""A submission's program as checks see it: unpacked, parsed, with what it needs and what looks risky."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from pgolf.verify.code_patterns import Finding, find
from pgolf.verify.code_uses import Index, Uses, Visits, uses
from pgolf.wrappers.layers import Unpacked, unpack

if TYPE_CHECKING:
    from pgolf.verify.folder import View

ENTRY = "train_gpt.py"
HELPERS, HELPER_LIMIT = 16, 256 * 1024
NO_TREE = "needs a train_gpt.py that parses"


class Program:
    """The innermost program of an entry script.

    Args:
        unpacked: where it was found and what it says.
        outer: bytes of the entry script.
        visits: how many nodes patterns may look at, shared with other programs of the folder.
    """

    def __init__(self, unpacked: Unpacked, outer: int, visits: Visits | None = None):
        self.unpacked, self.outer = unpacked, outer
        self.visits = visits or Visits()

    @property
    def tree(self) -> ast.Module | None:
        """Its syntax tree, where it has one; None for a file without a statement, as for one that is missing."""
        tree = self.unpacked.parsed.tree if self.unpacked.parsed else None
        return tree if tree is not None and tree.body else None

    @property
    def size(self) -> int | None:
        """Bytes of the innermost source: what a log that counts unpacked code says."""
        return self.unpacked.layers[-1].size if self.unpacked.layers else self.outer

    @property
    def siblings(self) -> list[str]:
        """Files of the folder that the entry script runs in its place."""
        return list(dict.fromkeys(layer.file for layer in self.unpacked.layers if layer.kind == "sibling"))

    @property
    def packed(self) -> bool:
        """Is anything taken off?"""
        return bool(self.unpacked.layers)

    @cached_property
    def indexes(self) -> list[tuple[str, str, ast.Module, Index]]:
        """(file, text, tree, nodes by type) of every layer, the innermost last."""
        return [
            (file, text, tree, Index(tree, self.visits)) for file, text, tree in self.unpacked.trees if tree is not None
        ]

    @cached_property
    def uses(self) -> Uses:
        """Imports, programs, files, network, of all layers."""
        found = Uses()
        for _, _, _, index in reversed(self.indexes):
            found.add(uses(index))
        return found

    @cached_property
    def findings(self) -> list[Finding]:
        """Risky patterns of all layers; what an outer layer unpacks is no data in a literal."""
        found = []
        for number, (file, text, tree, index) in enumerate(self.indexes, 1):
            hits = find(tree, text, file, index)
            found += [hit for hit in hits if hit.rule != "rule.prefix" or number == len(self.indexes)]
        return found

    @property
    def unread(self) -> str:
        """Why a part of what it runs is not read; "" where all of it is."""
        if self.unpacked.parsed is None or self.unpacked.parsed.tree is None:
            return f"{self.unpacked.file}: {self.unpacked.problem}"
        return f"{self.unpacked.file}: {self.unpacked.opaque}" if self.unpacked.opaque else ""


def read_program(code: bytes, read: Callable[[str], bytes], name: str = ENTRY, visits: Visits | None = None) -> Program:
    """Unpack and parse an entry script; `read` gives other files of the folder."""
    return Program(unpack(code, name, read), len(code), visits)


class Code:
    """All Python of a folder: the entry script, what it imports from beside it, and other scripts.

    Attributes:
        helpers: programs of the Python files that were read, imported ones first.
        imported: those of them that the entry script imports, directly or through another.
        unread: why a part of what the entry script runs is not read; "" where all of it is.
    """

    def __init__(self, view: View):
        self.view = view
        taken = {view.code_name, view.program.unpacked.file}
        self.names = {name: info.st_size for name, info, _ in view.walk() if name.endswith(".py") and name not in taken}
        self.helpers: list[Program] = []
        self.imported: list[Program] = []
        self.unread = view.program.unread
        self._left = 4 * HELPER_LIMIT
        self._read_imported()
        done = {program.unpacked.file for program in self.helpers}
        for name in sorted(name for name in self.names if name not in done)[: HELPERS - len(self.helpers)]:
            self._read(name)
        paths = [*view.program.unpacked.paths, *(path for one in self.imported for path in one.unpacked.paths)]
        if paths and self.unknown_imports():
            self.unread = self.unread or f"{paths[0]} (imports {min(self.unknown_imports())[:60]})"

    def _read_imported(self) -> None:
        """Files that the entry script imports, and those that they import."""
        waiting, seen = self._beside(self.view.program.uses), set[str]()
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            program = self._read(name) if len(self.helpers) < HELPERS else None
            if program is None:
                self.unread = self.unread or f"{name} is imported and not read"
                continue
            self.imported.append(program)
            self.unread = self.unread or program.unread
            waiting += self._beside(program.uses)

    def _beside(self, found: Uses) -> list[str]:
        """Files of the folder that imports may mean."""
        roots = set(found.imports) | set(found.relative)
        return [name for name in sorted(self.names) if name.split("/")[0].removesuffix(".py") in roots]

    def _read(self, name: str) -> Program | None:
        from pgolf.verify.folder import Unreadable

        try:
            code = self.view.read(name, min(HELPER_LIMIT, self._left))
        except Unreadable:
            return None
        self._left -= len(code)
        visits = self.view.program.visits
        program = read_program(code, lambda other: self.view.read(other, HELPER_LIMIT), name, visits)
        self.helpers.append(program)
        return program

    @cached_property
    def uses(self) -> Uses:
        """What the entry script needs, with what it imports from beside it."""
        found = Uses()
        found.add(self.view.program.uses)
        for program in self.imported:
            found.add(program.uses, program.unpacked.file)
        return found

    def unknown_imports(self) -> dict[str, int]:
        """Imports that are neither on the list nor beside the script."""
        beside = {name.split("/")[0].removesuffix(".py") for name, _, _ in self.view.walk()}
        return {name: line for name, line in self.uses.unknown.items() if name not in beside}

    @property
    def findings(self) -> list[Finding]:
        """Hits of patterns in the program and in the scripts beside it."""
        return [*self.view.program.findings, *(hit for helper in self.helpers for hit in helper.findings)]
