"""Minify: drop what nothing reads, shorten names (`shorten`), print densely, which is python-minifier's part.

Everything that changes the tree's shape is done in `strip`, so that the result can be checked: it must equal the
stripped tree up to a consistent renaming (`alpha`).
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from python_minifier import UnstableMinification
from python_minifier.f_string import OuterFString
from python_minifier.module_printer import ModulePrinter

from pgolf.bundle.link import Flat
from pgolf.bundle.minify.alpha import check_renaming
from pgolf.bundle.minify.arguments import settle_annotations, settle_arguments
from pgolf.bundle.minify.members import Survey, survey
from pgolf.bundle.minify.shorten import ALPHABET, Plan
from pgolf.bundle.names import scopes
from pgolf.bundle.origins import hand_on, pieces
from pgolf.bundle.source import PYTHON, compiles, last_name
from pgolf.bundle.toplevel import functions_of
from pgolf.bundle.trees import CHILDREN, Node, Transformer
from pgolf.errors import PgolfError

RARE = 2


@dataclass(frozen=True)
class Minified:
    """The minified text, and the program that it was made of."""

    text: str
    flat: Flat

    @cached_property
    def segments(self) -> tuple[tuple[str, str], ...]:
        """(module, piece of the text), in the order of the text."""
        stripped, owners = _stripped(self.flat)
        return tuple(pieces(self.text, ast.parse(self.text), stripped, owners))


class _Strip(Transformer):
    """Drops docstrings, other literal statements, assertions, `pass`, and the None of `return None`."""

    def block(self, body: list[ast.stmt], required: bool) -> list[ast.stmt]:
        kept = [self.visit(item) for item in body if not _is_idle(item)]
        return kept or ([ast.Expr(ast.Constant(0))] if required else [])

    def generic_visit(self, node: Node) -> Node:
        for name in CHILDREN[node.__class__]:
            value = getattr(node, name, None)
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                required = name == "body" or (name == "finalbody" and not getattr(node, "handlers", None))
                setattr(node, name, self.block(value, required))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(item) if isinstance(item, ast.AST) else item for item in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return node


def _is_idle(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Pass, ast.Assert)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def strip(tree: ast.Module) -> ast.Module:
    """The tree without what has no effect (changes it in place)."""
    stripped = _Strip().visit(tree)
    assert isinstance(stripped, ast.Module)
    settle_arguments(stripped)
    settle_annotations(stripped)
    return stripped


def minify(flat: Flat) -> Minified:
    """The program's text with short names."""
    # The text is parsed, because a tree may hold what no source says in this way, such as a negative number.
    stripped = strip(ast.parse(flat.text))
    found = survey(stripped)
    kept = [*kernel_names(stripped), *rare_imports(found)]
    text = write(Plan(stripped, found, kept).shortened(ALPHABET))
    check(stripped, text, found)
    return Minified(text, flat)


def _stripped(flat: Flat) -> tuple[ast.Module, list[str]]:
    """The program as `strip` leaves it, marked with the modules that it came from, and those of its statements."""
    parsed = ast.parse(flat.text)
    hand_on(flat.tree, parsed)
    return strip(parsed), [item.owner for item in flat.joined() if not _is_idle(item.node)]


def write(tree: ast.Module) -> str:
    """The text of a tree. `check` compares it with the tree, so the printer's own comparison is left out.

    Statement by statement, because the printer copies all of its text for every token.
    """
    try:
        texts = [_statement(node) for node in tree.body]
    except (UnstableMinification, SyntaxError) as error:
        raise PgolfError("PG401", f"python-minifier failed: {error!r}") from error
    return _with_spaces("\n".join(_in_ascii(texts)))


def _statement(node: ast.stmt) -> str:
    printed: str = _Printer()(ast.Module(body=[node], type_ignores=[]))  # type: ignore[no-untyped-call]
    return printed


class _Printer(ModulePrinter):  # type: ignore[misc]
    """python-minifier's printer, with another way to choose among the forms of an f-string."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        form = _FString(node, pep701=sys.version_info >= (3, 12))  # type: ignore[no-untyped-call]
        self.printer.fstring(str(form))  # type: ignore[no-untyped-call]


class _FString(OuterFString):  # type: ignore[misc]
    """The shortest form that means the same, found by parsing the short ones first; python-minifier parses all, twice."""

    def is_correct_ast(self, code: str) -> bool:
        return True

    def __str__(self) -> str:
        forms: list[str] = sorted(self.candidates(), key=len)  # type: ignore[no-untyped-call]
        right = filter(super().is_correct_ast, forms)
        return next(right, None) or str(super().__str__())  # type: ignore[no-untyped-call]


def _with_spaces(text: str) -> str:
    """Indentation by spaces, which compress better than tabs, unless a text of several lines could hold such lines."""
    if "'''" in text or '"""' in text:
        return text
    return re.sub(r"^\t+", lambda found: " " * len(found[0]), text, flags=re.MULTILINE)


def _in_ascii(texts: list[str]) -> list[str]:
    """Escapes for other characters of literals, because every decoder takes ASCII for granted at least; names stay."""
    escaped = [text if text.isascii() else text.encode("ascii", "backslashreplace").decode() for text in texts]
    try:
        same = all(
            one == two or ast.dump(ast.parse(one)) == ast.dump(ast.parse(two))
            for one, two in zip(texts, escaped, strict=True)
        )
    except SyntaxError:
        return texts
    return escaped if same else texts


def kernel_names(tree: ast.Module) -> list[str]:
    """Names in functions under `triton.jit`, whose compiler reads them: constants, builtins such as `range`."""
    names: set[str] = set()
    for node in [inner for item in tree.body for inner in functions_of(item)]:
        if any(last_name(item) == "jit" for item in node.decorator_list):
            top, _ = scopes(node)
            for scope in top.walk():
                names.update(scope.bound, scope.reads)
    return sorted(names)


def rare_imports(found: Survey) -> list[str]:
    """Imported names that are read so rarely that `as` and a short name would be longer."""
    imports = {
        name
        for name, bound in found.scope.bound.items()
        if all(isinstance(node, ast.alias) and node.asname is None for node in bound)
    }
    reads = Counter(name for scope in found.scope.walk() for name in scope.reads for _ in scope.reads[name])
    return sorted(name for name in imports if reads[name] <= RARE)


def check(stripped: ast.Module, text: str, found: Survey | None = None) -> None:
    """The stage's own check: the text parses for the oldest Python and is the same tree up to a renaming.

    Raises:
        PgolfError: PG401.
    """
    try:
        compiles(text, "the minified text")
        tree = ast.parse(text, feature_version=PYTHON)
    except SyntaxError as error:
        raise PgolfError("PG401", f"the minified text does not compile: {error}") from error
    check_renaming(stripped, tree, found)
