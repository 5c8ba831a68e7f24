"""A submission's program as checks see it: unpacked, parsed, with what it needs and what looks risky."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from pgolf.verify.code_patterns import Finding, find
from pgolf.verify.code_uses import Index, Uses, uses
from pgolf.verify.extract import Unpacked, unpack

if TYPE_CHECKING:
    from pgolf.verify.folder import View

ENTRY = "train_gpt.py"
HELPERS, HELPER_LIMIT = 16, 256 * 1024


class Program:
    """The innermost program of an entry script.

    Args:
        unpacked: where it was found and what it says.
        outer: bytes of the entry script.
    """

    def __init__(self, unpacked: Unpacked, outer: int):
        self.unpacked, self.outer = unpacked, outer

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
        return [(file, text, tree, Index(tree)) for file, text, tree in self.unpacked.trees if tree is not None]

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


def read_program(code: bytes, read: Callable[[str], bytes], name: str = ENTRY) -> Program:
    """Unpack and parse an entry script; `read` gives other files of the folder."""
    return Program(unpack(code, name, read), len(code))


def read_helpers(view: View) -> list[Program]:
    """Programs of the Python files beside the entry script, smallest names first."""
    from pgolf.verify.folder import Unreadable

    taken = {view.code_name, view.program.unpacked.file}
    names = [name for name, info, _ in view.walk() if name.endswith(".py") and info.st_size <= HELPER_LIMIT]
    found, left = [], 4 * HELPER_LIMIT
    for name in [name for name in sorted(names) if name not in taken][:HELPERS]:
        try:
            code = view.read(name, min(HELPER_LIMIT, left))
        except Unreadable:
            continue
        left -= len(code)
        found.append(read_program(code, lambda other: view.read(other, HELPER_LIMIT), name))
    return found
