"""Checks of what was scored, by arithmetic on the logs: bytes per token and the bytes of the whole split."""

from __future__ import annotations

import math
from typing import NamedTuple

from pgolf.logs import FinalLine, Pair, RunRecord
from pgolf.logs.record import half_unit
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, per_log, skipped, violated

RATIO_TOLERANCE = 1e-4
"""Windows of different lengths leave out different tails; a wrong byte count is off by far more."""


class Implied(NamedTuple):
    """Bytes that a log's headline and token count come to, with the relative error of its digits."""

    bytes: float
    error: float
    per_token: float
    tokens: int


def bytes_per_token(pair: Pair | FinalLine) -> tuple[float, float]:
    """(value, relative uncertainty) of val_loss / (ln 2 * val_bpb), from the digits that are printed."""
    loss, bpb = float(pair.val_loss), float(pair.val_bpb)
    error = half_unit(pair.val_loss) / loss + half_unit(pair.val_bpb) / bpb
    return loss / math.log(2.0) / bpb, error


def usable(pair: Pair | FinalLine) -> bool:
    """Are both numbers finite and above zero?"""
    values = float(pair.val_loss), float(pair.val_bpb)
    return all(math.isfinite(value) and value > 0 for value in values)


def implied(record: RunRecord) -> Implied | None:
    """Bytes of the scored text, or None where the log lacks a number, or says that fewer tokens were scored."""
    final = record.headline
    if final is None or not usable(final) or not record.val_tokens or record.limited:
        return None
    value, error = bytes_per_token(final)
    return Implied(value * record.val_tokens, error, value, record.val_tokens)


def _all_implied(view: View) -> dict[str, Implied]:
    return {name: found for name, run in view.evidence.runs.items() if (found := implied(run)) is not None}


@check(
    "val.identity",
    "WARN",
    "val_loss and val_bpb of a log always give the same bytes per token; FAIL for a folder that pgolf built",
    "openai/parameter-golf#897, #1804",
    "one line gives 2.436 bytes per token, another 2.443",
)
def check_identity(view: View) -> Outcome:
    """The byte count is a fact of the validation set, so a pair that disagrees was not computed from it.

    Other people's scripts may score another part of the text in between, which is no mistake of theirs.
    """
    problems, values = {}, {}
    for name, record in view.evidence.runs.items():
        pairs = [pair for pair in record.pairs if usable(pair)]
        if not pairs:
            continue
        best = min(pairs, key=lambda pair: bytes_per_token(pair)[1])
        values[name], error = bytes_per_token(best)
        for pair in pairs:
            other, other_error = bytes_per_token(pair)
            if abs(other / values[name] - 1.0) > error + other_error + RATIO_TOLERANCE:
                problems[name] = (
                    f"line {pair.line} gives {other:.5f} bytes per token, line {best.line} {values[name]:.5f}"
                )
                break
    if not values:
        return skipped("no log has a val_loss with its val_bpb")
    spread = max(values.values()) / min(values.values()) - 1.0
    strict = "FAIL" if view.built else "WARN"
    if problems:
        found = per_log(problems, "", bytes_per_token=values)
        return Outcome(strict, found.message, found.evidence)
    if spread > 2 * RATIO_TOLERANCE and view.built:
        return Outcome(strict, f"the logs disagree on bytes per token by {spread:.2%}", {"bytes_per_token": values})
    return per_log({}, f"{next(iter(values.values())):.5f} bytes per token throughout", bytes_per_token=values)


@check(
    "val.bytes",
    "FAIL",
    "tokens times bytes per token come to the bytes of the validation split",
    "openai/parameter-golf README: prove that val_bpb is computed correctly; #897, #1804, #2138",
    "2.5671 bytes per token and 61,999,104 tokens make 159,160,557 bytes, 5.35 % too many",
)
def check_bytes(view: View) -> Outcome:
    """Any lossless tokenizer comes to the same number of bytes, so another number means another denominator."""
    found, wanted, slack = _all_implied(view), view.challenge.val_bytes, view.challenge.val_tolerance
    if not found:
        return skipped("no log has val_loss, val_bpb and the number of validation tokens")
    if view.built and max(item.bytes for item in found.values()) < 0.01 * wanted:
        return skipped("a smoke build scores a sample of its own")
    problems: dict[str, str] = {}
    doubts: dict[str, str] = {}
    for name, item in found.items():
        off = item.bytes / wanted - 1.0
        row = next((row for row in view.challenge.tokenizers if item.tokens == row.val_tokens), None)
        if abs(off) > slack + item.error:
            known = row.name if row is not None else ""
            hint = f", the figures of {known}" if known else ""
            problems[name] = (
                f"{item.per_token:.5f} bytes per token times {item.tokens:,} tokens is {item.bytes:,.0f} bytes, "
                f"{off:+.2%} from {wanted:,}{hint}"
            )
            if row is not None and abs(item.per_token / row.bytes_per_token - 1.0) <= slack:
                doubts[name] = problems.pop(name) + ": a split of the organisers that is not the one that is scored now"
    values = {name: round(item.bytes) for name, item in found.items()}
    if doubts and not problems:
        seen = per_log(doubts, "", implied_bytes=values)
        return Outcome("WARN", seen.message, seen.evidence)
    return per_log(problems, f"{max(values.values()):,} bytes, as in the validation split", implied_bytes=values)


@check(
    "val.full",
    "FAIL",
    "the whole validation split was scored",
    "openai/parameter-golf README; #1835, #2009, #2109",
    "2,097,152 tokens were scored, 5.1 % of the text",
)
def check_full(view: View) -> Outcome:
    """Between the two shares the log does not decide."""
    found, rules = _all_implied(view), view.challenge
    if not found:
        return skipped("no log has val_loss, val_bpb and the number of validation tokens")
    shares = {name: item.bytes / rules.val_bytes for name, item in found.items()}
    if view.built and max(shares.values()) < 0.01:
        return skipped("a smoke build scores a sample of its own")
    problems = {
        name: f"{found[name].tokens:,} validation tokens are {share:.1%} of the text"
        for name, share in shares.items()
        if share < rules.partial_share
    }
    if problems:
        bad = per_log(problems, "", shares=shares)
        return violated(bad.message, **bad.evidence)
    if min(shares.values()) < rules.full_share - max(item.error for item in found.values()):
        return skipped(f"the tokens cover {min(shares.values()):.2%} of the text: a part may be missing", shares=shares)
    return per_log({}, f"all of the split in {len(shares)} logs", shares=shares)
