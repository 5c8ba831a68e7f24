"""Patterns of code that reviewers have refused or disputed. Each hit is a place to look at, never a verdict.

A pattern reads names, so that renaming hides it, and a legal program may look like it. Rulings and sources are with each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pgolf.verify.code_uses import Index

MOST = 20
"""Most findings of one pattern that are kept."""
TARGET = re.compile(r"(?i)(^|_)(tgts?|targets?|next_tok(en)?s?|nxt)(_|$)")
SCORE = re.compile(r"(?i)(^|_)(nll|nlls|bpb)(_|\d|$)")
TALLY = re.compile(r"(?i)(^|_)(loss_sum|nll_sum|total_loss|total_nll|val_loss_sum|bits_sum|sum_nll|sum_loss)")
VAL = re.compile(r"(?i)(^|_)val(idation)?_?(tokens?|files?|loader|data|stream|ids)(_|$)")
CALIBRATE = re.compile(r"(?i)(calib|hessian|gptq_collect|collect_activation)")
CLOCK = re.compile(
    r"(?i)^(force_stop_step|\w*precompute_outside\w*|(ignore|skip|disable|bypass|no)_(wall_?clock|time_?limit|timer|time_?cap)\w*)$"
)
BEFORE_QUANT = re.compile(r"(?i)pre_?(quant|q)\w*(ttt|adapt)|(ttt|adapt)\w*pre_?quant")
TWO_PASS = re.compile(r"(?i)(two|2|second)_?pass|rescore_all|full_rescore")
EPOCH = re.compile(r"(?i)(^|_)(epochs?|passes|pass_?(idx|index|num)?|rounds?)(_|$)")
SLOT = re.compile(r"(?i)(^|_)slot(_|$)")
FACTOR = re.compile(r"(?i)^(avg_|mean_)?bytes_per_(token|tok)$")
NAME = 100
"""Characters of a name that are looked at: a search takes the square of a name's length."""
TABLE = 48
BLOB = 2000
MARK = "\u2581"


@dataclass(frozen=True)
class Finding:
    """One hit: the rule's id, where, the line's text, what is seen and who ruled on it."""

    rule: str
    file: str
    line: int
    excerpt: str
    message: str
    source: str

    def evidence(self) -> dict[str, object]:
        """For reports."""
        return {
            "file": self.file,
            "line": self.line,
            "excerpt": self.excerpt,
            "seen": self.message,
            "source": self.source,
        }


Hits = Iterator[tuple[ast.AST, str]]


@dataclass(frozen=True)
class Pattern:
    """A rule's id, its source, and the function that yields (node, what is seen)."""

    rule: str
    source: str
    function: Callable[[Index], Hits]


PATTERNS: list[Pattern] = []


def pattern(rule: str, source: str) -> Callable[[Callable[[Index], Hits]], Callable[[Index], Hits]]:
    """Register a pattern."""

    def register(function: Callable[[Index], Hits]) -> Callable[[Index], Hits]:
        PATTERNS.append(Pattern(rule, source, function))
        return function

    return register


def find(tree: ast.Module, text: str, file: str, index: Index | None = None) -> list[Finding]:
    """All hits of all patterns."""
    index, lines = index or Index(tree), text.split("\n")
    found = []
    for item in PATTERNS:
        for _, (node, seen) in zip(range(MOST), item.function(index), strict=False):
            line = getattr(node, "lineno", 1)
            excerpt = lines[line - 1].strip()[:160] if line <= len(lines) else ""
            found.append(Finding(item.rule, file, line, excerpt, seen, item.source))
    return found


def words(index: Index, node: ast.AST) -> Iterator[str]:
    """Every name and attribute below a node."""
    for item in index.walk(node):
        if isinstance(item, ast.Name):
            yield item.id[:NAME]
        elif isinstance(item, ast.Attribute):
            yield item.attr[:NAME]
        elif isinstance(item, ast.arg):
            yield item.arg[:NAME]


def called(node: ast.AST) -> str:
    """The last part of a call's name."""
    if not isinstance(node, ast.Call):
        return ""
    name: str = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    return name[:NAME]


@pattern("rule.normal", "openai/parameter-golf#779, #1026, #1185")
def target_in_key(index: Index) -> Hits:
    """`context_hash ^ (target * prime)`: a table that is looked up by the token to be scored does not sum to one."""
    for node in index.of(ast.BinOp):
        if not isinstance(node.op, ast.BitXor):
            continue
        for side in (node.left, node.right):
            factors = [
                item for item in index.walk(side) if isinstance(item, ast.BinOp) and isinstance(item.op, ast.Mult)
            ]
            if any(TARGET.search(word) for factor in factors for word in words(index, factor)):
                yield node, "a hash key that holds the token to be scored"
                break


@pattern("rule.hindsight", "openai/parameter-golf#573, #611, #659")
def least_of_scores(index: Index) -> Hits:
    """`minimum(nll_a, nll_b)` chooses a scorer by the answer."""
    for node in index.of(ast.Call):
        if called(node) not in ("minimum", "fmin", "min") or len(node.args) != 2 or _tracks(index, node):
            continue
        if all(any(SCORE.search(word) for word in words(index, item)) for item in node.args):
            yield node, "the smaller of two scores"


@pattern("rule.hindsight", "openai/parameter-golf#573, #611, #659")
def least_of_many_scores(index: Index) -> Hits:
    """`torch.stack(nlls).amin(0)` chooses a scorer, or an epoch, for each token by the answer."""
    for node in index.of(ast.Call):
        if called(node) not in ("min", "amin", "reduce") or not isinstance(node.func, ast.Attribute):
            continue
        stacked = [item for item in index.walk(node) if called(item) in ("stack", "array", "cat")]
        if called(node) == "reduce":
            stacked = [node] if "minimum" in words(index, node.func) else []
        if any(SCORE.search(word) for item in stacked for word in words(index, item)) and not _tracks(index, node):
            yield node, "the least of many scores"


def _tracks(index: Index, node: ast.Call) -> bool:
    """`min(best_bpb, bpb)` only remembers the best run."""
    remembers = [
        any(word.lower().startswith(("best", "lowest", "prev")) for word in words(index, item)) for item in node.args
    ]
    return any(remembers)


@pattern("rule.scorefirst", "openai/parameter-golf#402, #442, #677")
def trains_then_scores(index: Index) -> Hits:
    """A loop over validation tokens whose first update comes before its first score."""
    for function in index.functions:
        if not any(VAL.search(word) for word in words(index, function)):
            continue
        for loop in index.walk(function):
            if not isinstance(loop, (ast.For, ast.While)):
                continue
            updates = [item.lineno for item in index.walk(loop) if called(item) == "backward"]  # type: ignore[attr-defined]
            tallies = [item.lineno for item in index.walk(loop) if _is_tally(index, item)]  # type: ignore[attr-defined]
            if updates and tallies and min(updates) < min(tallies) and not _scores_outside(index, function, loop):
                yield loop, "validation tokens are trained on before they are scored"
                break


@pattern("rule.scorefirst", "openai/parameter-golf#402, #442, #677")
def scores_in_epochs(index: Index) -> Hits:
    """Epochs over validation tokens that train and sum up a score: those after the first have learnt what they score."""
    for loop in index.of(ast.For):
        if not any(EPOCH.search(word) for word in words(index, loop.target)):
            continue
        inside = [*index.walk(loop)]
        trains = any(called(item) == "backward" for item in inside) and any(_is_tally(index, item) for item in inside)
        if trains and any(VAL.search(word) for word in words(index, loop)):
            yield loop, "epochs over validation tokens that train and score"


def _is_tally(index: Index, node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign) and any(TALLY.search(word) for word in words(index, node.target))


def _scores_outside(index: Index, function: ast.AST, loop: ast.AST) -> bool:
    """Is anything summed up above the loop, in the same function?"""
    start = getattr(loop, "lineno", 0)
    return any(_is_tally(index, item) and getattr(item, "lineno", 0) < start for item in index.walk(function))


@pattern("rule.scorefirst", "openai/parameter-golf#1376, #1972")
def adapts_before_quantization(index: Index) -> Hits:
    """Adapting to validation tokens before the model is quantized has not scored them."""
    for function in index.functions:
        if BEFORE_QUANT.search(function.name[:NAME]) and any(VAL.search(word) for word in words(index, function)):
            yield function, "adaptation before quantization reads validation tokens"


@pattern("rule.onepass", "openai/parameter-golf#846, #868, #991")
def scores_again(index: Index) -> Hits:
    """A second pass over tokens that were seen."""
    for function in index.functions:
        if TWO_PASS.search(function.name[:NAME]) and any(VAL.search(word) for word in words(index, function)):
            yield function, "a second pass over validation tokens"


@pattern("rule.causal", "openai/parameter-golf#1240, #1336 (contested)")
def optimizes_scored_positions(index: Index) -> Hits:
    """SLOT: a delta that is fitted to the positions it scores."""
    for function in index.functions:
        if SLOT.search(function.name[:NAME]) and any(called(item) == "backward" for item in index.walk(function)):
            yield function, "a correction fitted while scoring"


@pattern("rule.calibval", "openai/parameter-golf#728")
def calibrates_on_validation(index: Index) -> Hits:
    """Quantization statistics from tokens that are not scored yet."""
    for node in index.of(ast.Call):
        arguments = [*node.args, *(item.value for item in node.keywords)]
        if CALIBRATE.search(called(node)) and any(
            VAL.search(word) for item in arguments for word in words(index, item)
        ):
            yield node, "calibration reads validation tokens"


@pattern("rule.bytelut", "openai/parameter-golf#897, #1804")
def byte_factor(index: Index) -> Hits:
    """Bytes per token as a constant."""
    for node in index.of(ast.Assign):
        named = any(isinstance(item, ast.Name) and FACTOR.match(item.id) for item in node.targets)
        if named and isinstance(node.value, ast.Constant) and isinstance(node.value.value, (int, float)):
            yield node, "bytes per token are a constant"


@pattern("rule.bytelut", "openai/parameter-golf#897, #926")
def word_mark(index: Index) -> Hits:
    """A byte table from SentencePiece pieces that does not know the word mark, or counts a space always."""
    known = any(_is_mark(node.value) for node in index.of(ast.Constant))
    for function in index.functions:
        if not any(called(item) == "id_to_piece" for item in index.walk(function)):
            continue
        counts = any(called(item) == "encode" for item in index.walk(function))
        if counts and not known:
            yield function, "a byte table without the word mark U+2581"
        for item in index.walk(function):
            if isinstance(item, ast.BinOp) and isinstance(item.op, ast.Add) and _length_plus_one(index, item):
                yield item, "a byte table that counts one space for every piece"


def _is_mark(value: object) -> bool:
    """U+2581 as text, as UTF-8 or as a number."""
    if isinstance(value, str):
        return MARK in value
    return MARK.encode() in value if isinstance(value, bytes) else value == ord(MARK)


def _length_plus_one(index: Index, node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    one = any(isinstance(side, ast.Constant) and side.value == 1 for side in sides)
    return one and any(
        called(side) == "len" and any(called(item) == "encode" for item in index.walk(side)) for side in sides
    )


@pattern("rule.clock", "challenge README: 600 s; openai/parameter-golf#1908, #1956")
def clock_switch(index: Index) -> Hits:
    """Settings that move work off the clock."""
    for node in index.of(ast.Constant):
        if isinstance(node.value, str) and len(node.value) < 80 and CLOCK.match(node.value):
            yield node, f"the setting {node.value} moves work off the clock"


@pattern("rule.compute", "challenge README: no outside compute; openai/parameter-golf#1779")
def number_table(index: Index) -> Hits:
    """Tables of numbers that training may have found elsewhere."""
    tables: list[ast.List | ast.Tuple] = [*index.of(ast.List), *index.of(ast.Tuple)]
    for node in tables:
        values = [item.operand if isinstance(item, ast.UnaryOp) else item for item in node.elts]
        if sum(isinstance(item, ast.Constant) and type(item.value) is float for item in values) >= TABLE:
            yield node, f"a table of {len(values)} numbers"


@pattern("rule.prefix", "challenge README; openai/parameter-golf#168, #262")
def blob(index: Index) -> Hits:
    """Long literals that are no text for people."""
    for node in index.of(ast.Constant):
        value = node.value
        if isinstance(value, bytes) and len(value) > BLOB:
            yield node, f"{len(value):,} bytes of data in a literal"
        elif isinstance(value, str) and len(value) > BLOB and sum(map(value.count, " \n")) * 100 < len(value):
            yield node, f"{len(value):,} characters of data in a literal"


@pattern("rule.disjoint", "openai/parameter-golf#2018, #2127, #2130")
def few_validation_documents(index: Index) -> Hits:
    """A data script that sets fewer documents aside than the 50,000 that are scored."""
    for node in index.of(ast.Call):
        if called(node) != "add_argument" or not node.args or getattr(node.args[0], "value", "") != "--val-docs":
            continue
        for item in node.keywords:
            count = item.value.value if isinstance(item.value, ast.Constant) else None
            if item.arg == "default" and type(count) is int and count < 50_000:
                yield node, f"{count:,} validation documents by default; 50,000 are scored"
