"""Makes any script smaller: what is provably safe for it is done, and what is not is left out with the reason.

    text -> tree -> evidence -> strip -> rename -> print -> checks -> pack

The forms are tried from the smallest to the plainest, and the first whose checks hold is taken: "renamed", "stripped"
(docstrings, literal statements and annotations dropped), "dense" (white space and comments only), "verbatim". The script is
never executed.
"""

from __future__ import annotations

import ast
import base64
import lzma
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import python_minifier

from pgolf.bundle.foreign.foreign_evidence import (
    FUNCTION_NAMES,
    GLOBALS,
    LATIN1,
    LOCALS,
    PACKING,
    TEXT,
    Evidence,
    Reason,
    gather,
)
from pgolf.bundle.foreign.foreign_names import Keep, check_same, renamed
from pgolf.bundle.foreign.foreign_strip import strip
from pgolf.bundle.names import FUNCTIONS, copy_tree, scopes
from pgolf.bundle.pack.pack import Packed, candidates, check, mixed
from pgolf.errors import PgolfError

FORMS = ("renamed", "stripped", "dense", "verbatim")


@dataclass(frozen=True)
class Result:
    """A script made smaller.

    Attributes:
        text: the minified source.
        form: how far it was changed, one of `FORMS`.
        reasons: what was not done, and why.
        packed: the file.
        baseline: bytes of python-minifier's default output in LZMA and base85; None where that fails.
    """

    text: str
    form: str
    reasons: tuple[Reason, ...]
    packed: Packed
    baseline: int | None


def shrink(data: bytes, choice: str = "auto", allow_brotli: bool = False) -> Result:
    """Minify and pack a script.

    Args:
        data: the file.
        choice: "auto" for the smallest file that is safe, or one family of `pack`.
        allow_brotli: whether the file may import brotli.

    Raises:
        PgolfError: PG004 for a script that this Python cannot parse or a form that is not safe for it, PG402 where
            the result does not decode to what was packed.
    """
    text = decode(data)
    tree = parse(text)
    evidence = gather(tree)
    minified, form, failed = minify(text, tree, evidence)
    reasons = (*evidence.reasons, *failed)
    packed = choose(minified, choice, allow_brotli, evidence)
    return Result(minified, form, reasons, packed, baseline(text))


def decode(data: bytes) -> str:
    """The file's text, as Python reads it.

    Raises:
        PgolfError: PG004.
    """
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise PgolfError("PG004", f"the script is not text: {error}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(text: str) -> ast.Module:
    """The script's tree.

    Raises:
        PgolfError: PG004, when this Python cannot read it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "the script", "exec", dont_inherit=True)
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        line = getattr(error, "lineno", None)
        where = f"line {line}" if line else ""
        hint = "a script that needs a newer Python must be packed by that Python"
        raise PgolfError("PG004", f"Python {here} cannot read the script: {error}", where, hint) from None


def minify(text: str, tree: ast.Module, evidence: Evidence) -> tuple[str, str, list[Reason]]:
    """(text, form, reasons of forms that failed their checks)."""
    if evidence.forbids(TEXT):
        return text, "verbatim", []
    failed: list[Reason] = []
    stripped = strip(tree, evidence)
    for form, wanted in (("renamed", stripped), ("stripped", stripped), ("dense", tree)):
        try:
            target = rename(stripped, evidence) if form == "renamed" else wanted
            found = printed(target)
            again = parse(found)
            check_same(wanted, again)
            if form != "renamed":
                check_equal(wanted, again)
            if needs_newer_python(found) and not needs_newer_python(text):
                raise PgolfError("PG401", "it would need a newer Python than the script does")
            return found, form, failed
        except (PgolfError, ValueError, RecursionError, AttributeError) as error:
            failed.append(Reason(TEXT, 0, f"the {form} form failed its check: {error}"))
    return text, "verbatim", failed


def printed(tree: ast.Module) -> str:
    """The shortest text of a tree.

    Raises:
        PgolfError: PG401, where it cannot be printed.
    """
    try:
        return python_minifier.unparse(ast.fix_missing_locations(copy_tree(tree)))
    except (python_minifier.UnstableMinification, SyntaxError) as error:
        raise PgolfError("PG401", f"it cannot be printed: {error}") from None


def check_equal(old: ast.AST, new: ast.AST) -> None:
    """Raise PG401 unless two trees are equal."""
    if ast.dump(old) != ast.dump(new):
        raise PgolfError("PG401", "the printed text is another program")


def rename(stripped: ast.Module, evidence: Evidence) -> ast.Module:
    """A renamed copy, as far as the evidence allows."""
    fresh = gather(stripped)  # of the same script, with nodes of this tree
    everywhere: set[str] = set()
    for node in fresh.kernels:
        for scope in scopes(node)[0].walk():
            everywhere.update(scope.bound, scope.reads)
    if evidence.forbids(LOCALS):
        fresh.frames.update(node for node in ast.walk(stripped) if isinstance(node, (*FUNCTIONS, ast.ClassDef)))
    keep = Keep(
        all_globals=evidence.forbids(GLOBALS),
        names=evidence.strings | {"s", "f", "linecache"},
        functions=evidence.forbids(FUNCTION_NAMES),
        everywhere=everywhere,
    )
    return renamed(stripped, keep, fresh.frames, fresh.tagged)


def needs_newer_python(text: str) -> bool:
    """Does the text have f-strings that only Python 3.12 and newer read?"""
    if sys.version_info < (3, 12):
        return False
    import io
    import tokenize

    quotes: list[str] = []
    start = getattr(tokenize, "FSTRING_START", -1)
    end = getattr(tokenize, "FSTRING_END", -1)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        literal = token.type in (start, tokenize.STRING)
        quote = token.string.lstrip("rRbBfFuU")[:1] if literal else ""
        if quotes and ((quote and quote in quotes) or (literal and "\\" in token.string)):
            return True
        if quotes and token.type == tokenize.COMMENT:
            return True
        if token.type == start:
            quotes.append(quote)
        elif token.type == end:
            quotes.pop()
    return False


def choose(text: str, choice: str, allow_brotli: bool, evidence: Evidence) -> Packed:
    """The smallest safe file.

    Raises:
        PgolfError: PG004 for a form that is not safe for this script.
    """
    families = {"plain", "b85", "latin1", "mix"}
    if evidence.forbids(PACKING):
        families = {"plain"}
    elif evidence.forbids(LATIN1):
        families -= {"latin1", "mix"}
    if choice != "auto" and choice not in families:
        why = next(reason for reason in evidence.reasons if reason.what in (PACKING, LATIN1))
        raise PgolfError("PG004", f"--pack {choice} is not safe here: {why}", hint="use --pack auto")
    every = [mixed(text)] if choice == "mix" else candidates(text, allow_brotli)
    wanted = [item for item in every if _family(item) in families and choice in ("auto", _family(item))]
    best = min(wanted, key=lambda item: (len(item.code), item.name))
    check(best, text)
    parse(decode(best.code))
    return best


def _family(item: Packed) -> str:
    return item.name.partition("+")[0]


def baseline(text: str) -> int | None:
    """What python-minifier with its defaults, LZMA and base85 make of the script."""
    try:
        small = python_minifier.minify(text)
    except (python_minifier.UnstableMinification, SyntaxError, ValueError, RecursionError, AttributeError):
        return None
    data = base64.b85encode(lzma.compress(small.encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(b'import lzma,base64;exec(lzma.decompress(base64.b85decode("' + data + b'")))\n')


def changes(result: Result) -> Iterator[str]:
    """Names of the changes that were made, for reports."""
    order = {"renamed": 3, "stripped": 2, "dense": 1, "verbatim": 0}
    names = ("white space and comments", "literals and annotations", "names")
    yield from names[: order[result.form]]
