"""Print a program densely and in ASCII: python-minifier's printer, with fewer ways to write an f-string and spaces for tabs."""

from __future__ import annotations

import ast
import re
import sys

from python_minifier import UnstableMinification
from python_minifier.f_string import OuterFString
from python_minifier.module_printer import ModulePrinter

from pgolf.errors import PgolfError


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
