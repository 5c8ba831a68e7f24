"""Minify: drop what has no effect (`strip`), give names short ones (`symbols`), and print densely (`printing`).

Everything that changes the tree's shape is done in `strip`, so that the result can be checked: it must equal the
stripped tree up to a consistent renaming (`alpha_equivalence`).
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from pgolf.bundle.link import Flat
from pgolf.bundle.minify.alpha_equivalence import check_renaming
from pgolf.bundle.minify.legality import Survey, names_in_kernels, survey
from pgolf.bundle.minify.printing import write
from pgolf.bundle.minify.strip import stripped
from pgolf.bundle.minify.symbols import ALPHABET, Plan
from pgolf.bundle.origins import hand_on, pieces
from pgolf.bundle.source import PYTHON, compiles
from pgolf.bundle.syntax import is_idle_line
from pgolf.errors import PgolfError

RARE = 2


@dataclass(frozen=True)
class Minified:
    """The minified text, and what it was made of.

    Attributes:
        tree: that of the text.
        stripped: the same tree under its old names, marked with the modules that its parts came from.
        owners: the module of each of its statements.
    """

    text: str
    tree: ast.Module
    stripped: ast.Module
    owners: tuple[str, ...]

    @cached_property
    def segments(self) -> tuple[tuple[str, str], ...]:
        """(module, piece of the text), in the order of the text."""
        return tuple(pieces(self.text, self.tree, self.stripped, self.owners))


def minify(flat: Flat) -> Minified:
    """The program's text with short names."""
    # The text is parsed, because a tree may hold what no source says in this way, such as a negative number.
    parsed = ast.parse(flat.text)
    hand_on(flat.tree, parsed)
    tree, resolved = stripped(parsed)
    found = survey(tree, resolved)
    names = sorted({node.id for node in names_in_kernels(found.scope) if found.global_name(node)})
    kept = [*names, *rare_imports(found), *shown_classes(found)]
    with Plan(tree, found, kept).shortened(ALPHABET) as short:
        text = write(short)
    printed = check(tree, text, found)
    return Minified(text, printed, tree, tuple(item.owner for item in flat.joined() if not is_idle_line(item.node)))


def shown_classes(found: Survey) -> list[str]:
    """Classes whose name people see: exceptions in tracebacks, enums and modules where they are printed, and records."""
    return sorted(found.outside | found.records.keys())


def rare_imports(found: Survey) -> list[str]:
    """Imported names that are read so rarely that `as` and a short name would be longer."""
    imports = {
        name
        for name, bound in found.scope.bound.items()
        if all(isinstance(node, ast.alias) and node.asname is None for node in bound)
    }
    reads = Counter(name for scope in found.scope.walk() for name in scope.reads for _ in scope.reads[name])
    return sorted(name for name in imports if reads[name] <= RARE)


def check(before: ast.Module, text: str, found: Survey | None = None) -> ast.Module:
    """The stage's own check: the text parses for the oldest Python and is the same tree up to a renaming; gives its tree.

    Raises:
        PgolfError: PG401.
    """
    try:
        compiles(text, "the minified text")
        tree = ast.parse(text, feature_version=PYTHON)
    except SyntaxError as error:
        raise PgolfError("PG401", f"the minified text does not compile: {error}") from error
    check_renaming(before, tree, found)
    return tree
