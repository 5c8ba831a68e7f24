"""Rules that neither logs nor text decide: they stay in every report, as questions."""

from __future__ import annotations

from collections.abc import Callable

from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, skipped

# id -> (severity, statement, source, example, what a person can do).
OPEN: dict[str, tuple[str, str, str, str, str]] = {
    "rule.calibtrain": (
        "FAIL",
        "no training data are read after the training time, for calibration either",
        "openai/parameter-golf#569, #606, #677",
        "training shards are opened while quantizing, after the clock has stopped",
        "take the training shards away after the training time: evaluation must still work",
    ),
    "rule.boundary": (
        "WARN",
        "features do not mix across the start of a document",
        "openai/parameter-golf#1797; contested in #1988",
        "the gate of a first token looks at the last token of the document before it",
        "score a first token behind two different documents: its features must be equal",
    ),
    "rule.lossless": (
        "WARN",
        "the tokenizer gives back the exact bytes of each document",
        "openai/parameter-golf#1578, #1604",
        "the tokenizer lowers all letters",
        "decode the encoded validation documents and compare the bytes",
    ),
}


def _open(hint: str) -> Callable[[View], Outcome]:
    def judge(view: View) -> Outcome:
        """Needs the submission to run."""
        return skipped(f"needs the code to run, and data: {hint}")

    return judge


for _id, (_severity, _statement, _source, _example, _hint) in OPEN.items():
    check(_id, _severity, _statement, _source, _example)(_open(_hint))
