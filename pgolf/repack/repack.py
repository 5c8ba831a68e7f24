"""Makes any script smaller: what is provably safe for it is done, and what is not is left out with the reason.

    text -> tree -> evidence -> strip -> rename -> print -> checks -> pack

The forms are tried from the smallest to the plainest, and the first whose checks hold is taken: "renamed", "stripped"
(docstrings, literal statements and annotations dropped), "dense" (white space and comments only), "verbatim". The script is
never executed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import python_minifier

from pgolf.bundle.names import copy_tree
from pgolf.bundle.pack.pack import Packed, candidates, mixed
from pgolf.errors import PgolfError
from pgolf.repack import legality, measure, parameters, reflection, self_reading
from pgolf.repack.check import check_equal, check_same
from pgolf.repack.evidence import FUNCTION_NAMES, GLOBALS, LATIN1, LOCALS, PACKING, TEXT, Evidence, Reason
from pgolf.repack.index import Index
from pgolf.repack.rename import Keep, rename, short_names
from pgolf.repack.script import decode, encode, needs_newer_python, parse
from pgolf.repack.strip import strip
from pgolf.unpack import unpack

FORMS = ("renamed", "stripped", "dense", "verbatim")
FORBIDDEN = {"b85": (PACKING,), "latin1": (PACKING, LATIN1), "mix": (PACKING, LATIN1)}
"""What forbids each way to write the file."""


@dataclass(frozen=True)
class Minified:
    """A text, how far it was changed (one of `FORMS`), and the forms before it whose checks failed."""

    text: str
    form: str
    failed: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Result:
    """A script made smaller.

    Attributes:
        text: the minified source.
        form: how far it was changed, one of `FORMS`.
        reasons: what was not done, and why.
        packed: the file.
        answers: lines where the script reads its own file as text, and gets the file in Latin-1.
        baseline: bytes of python-minifier's default output in LZMA and base85; None where that fails.
    """

    text: str
    form: str
    reasons: tuple[Reason, ...]
    packed: Packed
    answers: tuple[int, ...]
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
    check_choice(choice, evidence)
    plain = minify(text, tree, evidence)
    answering = plain
    if evidence.readings and not evidence.forbids(LATIN1):
        answering = minify(text, tree, evidence, answer=True)
    packed, minified = choose(plain, answering, choice, allow_brotli, evidence)
    lines = sorted({reading.call.lineno for reading in evidence.readings}) if minified is not plain else []
    reasons = (*evidence.reasons, *minified.failed)
    return Result(minified.text, minified.form, reasons, packed, tuple(lines), measure.baseline(text))


def gather(tree: ast.Module) -> Evidence:
    """Note what must stay in a script, and why."""
    index, evidence = Index(tree), Evidence()
    reflection.look(index, evidence)
    legality.look(index, evidence)
    self_reading.look(index, evidence)
    if evidence.forbids(TEXT) and evidence.readings:
        line = next(reason for reason in evidence.reasons if reason.what == TEXT).line
        evidence.reasons.append(Reason(LATIN1, line, "the script reads its own text, which must not be changed"))
    return evidence


def minify(text: str, tree: ast.Module, evidence: Evidence, answer: bool = False) -> Minified:
    """The smallest form of a text whose checks hold.

    Args:
        text: the script.
        tree: its tree.
        evidence: what must stay.
        answer: whether readings of the script's own file are to take Latin-1.
    """
    if evidence.forbids(TEXT):
        return Minified(text, "verbatim")
    failed: list[Reason] = []
    stripped, dense = strip(tree, evidence), copy_tree(tree)
    if answer:
        stripped, dense = answering(stripped), answering(dense)
    for form, wanted in (("renamed", stripped), ("stripped", stripped), ("dense", dense)):
        try:
            small = printed(shortened(wanted) if form == "renamed" else wanted)
            again = parse(small)
            check_same(wanted, again)
            if form != "renamed":
                check_equal(wanted, again)
            if needs_newer_python(small) and not needs_newer_python(text):
                raise PgolfError("PG401", "it would need a newer Python than the script does")
            return Minified(small, form, tuple(failed))
        except (PgolfError, ValueError, RecursionError, AttributeError) as error:
            failed.append(Reason(TEXT, 0, f"the {form} form failed its check: {error}"))
    return Minified(text, "verbatim", tuple(failed))


def answering(tree: ast.Module) -> ast.Module:
    """A tree whose readings of its own file take Latin-1 (changes the tree)."""
    index, evidence = Index(tree), Evidence()
    self_reading.look(index, evidence)
    reflection.look(index, evidence)
    used = {name for scope in index.top.walk() for name in (*scope.bound, *scope.reads)} | evidence.words
    name = next(name for name in short_names() if name not in used)
    return self_reading.answered(tree, evidence.readings, name)


def shortened(tree: ast.Module) -> ast.Module:
    """A renamed copy, as far as the evidence allows."""
    copied = copy_tree(tree)
    index, evidence = Index(copied), gather(copied)
    everywhere: set[str] = set()
    for scope in index.top.walk():
        around = scope
        while around.parent is not None and around.node not in evidence.kernels:
            around = around.parent
        if around.parent is not None:
            everywhere.update(scope.bound, scope.reads)
    keep = Keep(
        all_globals=evidence.forbids(GLOBALS),
        all_locals=evidence.forbids(LOCALS),
        functions=evidence.forbids(FUNCTION_NAMES),
        words=evidence.words,
        named=evidence.named,
        everywhere=everywhere,
        inside=evidence.frames,
        parameters=parameters.free(index, evidence),
        keywords=parameters.keywords(index),
    )
    return rename(copied, keep)


def printed(tree: ast.Module) -> str:
    """The shortest text of a tree.

    Raises:
        PgolfError: PG401, where it cannot be printed.
    """
    try:
        return python_minifier.unparse(ast.fix_missing_locations(copy_tree(tree)))
    except (python_minifier.UnstableMinification, SyntaxError) as error:
        raise PgolfError("PG401", f"it cannot be printed: {error}") from None


def check_choice(choice: str, evidence: Evidence) -> None:
    """Refuse a form that is not safe, with the reason that forbids this one.

    Raises:
        PgolfError: PG004.
    """
    reason = evidence.reason(*FORBIDDEN[choice]) if choice in FORBIDDEN else None
    if reason is not None:
        raise PgolfError("PG004", f"--pack {choice} is not safe here: {reason}", hint="use --pack auto")


def choose(
    plain: Minified, answers: Minified, choice: str, allow_brotli: bool, evidence: Evidence
) -> tuple[Packed, Minified]:
    """The smallest safe file, and what it holds: files in Latin-1 hold the text that answers readings of itself.

    Raises:
        PgolfError: PG402 where the file does not decode to the text.
    """
    safe = {family for family, changes in FORBIDDEN.items() if not evidence.forbids(*changes)} | {"plain"}
    wanted = safe - {"mix"} if choice == "auto" else {choice}
    files = [(Packed("plain", encode(plain.text)), plain)] if "plain" in wanted else []
    if "mix" in wanted:
        files.append((mixed(answers.text, alone=True), answers))
    for family, minified in (("b85", plain), ("latin1", answers)):
        if family in wanted:
            every = candidates(minified.text, allow_brotli, alone=True)
            files += [(packed, minified) for packed in every if packed.name.startswith(family)]
    best, minified = min(files, key=lambda pair: (len(pair[0].code), pair[0].name))
    check_file(best, minified.text)
    return best, minified


def check_file(packed: Packed, text: str) -> None:
    """What Python reads in the file is the text: by its own decoding of the bytes for a plain file.

    Raises:
        PgolfError: PG402.
    """
    tree = ast.parse(packed.code)
    holds = ast.dump(tree) == ast.dump(ast.parse(text)) if packed.name == "plain" else unpack(packed.code) == text
    if not holds:
        raise PgolfError("PG402", f"{packed.name} does not decode to the minified source")


def changes(result: Result) -> Iterator[str]:
    """Names of the changes that were made, for reports."""
    order = {"renamed": 3, "stripped": 2, "dense": 1, "verbatim": 0}
    names = ("white space and comments", "literals and annotations", "names")
    yield from names[: order[result.form]]
