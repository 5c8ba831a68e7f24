"""What probes say: a verdict on a rule with the places that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RULES = [
    *("rule.causal", "rule.normal", "rule.scorefirst", "rule.onepass", "rule.hindsight", "rule.calibval"),
    *("rule.calibtrain", "rule.prefix", "rule.boundary", "rule.bytelut", "rule.lossless", "rule.disjoint"),
]
"""The rules that probes decide."""

# probe -> (what it does, the rules that it has a part in).
PROBES: dict[str, tuple[str, tuple[str, ...]]] = {
    "suffix": (
        "other tokens behind a position: scores up to it stay",
        ("rule.causal", "rule.scorefirst", "rule.onepass"),
    ),
    "flip": (
        "one other token: scores before it, and the distribution that it is scored by, stay",
        ("rule.causal", "rule.scorefirst", "rule.onepass"),
    ),
    "substitution": (
        "every token of the vocabulary at one position: their probabilities sum to one",
        ("rule.normal", "rule.hindsight"),
    ),
    "ledger": ("every position is in the claim once, and the claim is their mean", ("rule.onepass", "rule.hindsight")),
    "poison": ("other validation text from the start: the artifact stays", ("rule.calibval", "rule.scorefirst")),
    "absence": ("training shards vanish once the artifact is written: the score stays", ("rule.calibtrain",)),
    "border": ("another last token of a document: the scores of the next one stay", ("rule.boundary",)),
    "bytes": ("the bytes of the claim are those of the decoded text", ("rule.bytelut",)),
    "other-text": ("other documents, and the same in another order: the loss stays about the same", ("rule.prefix",)),
    "round-trip": ("decoding encoded text gives back its bytes", ("rule.lossless",)),
    "overlap": ("runs of tokens of validation documents are not in the training shards", ("rule.disjoint",)),
}


@dataclass(frozen=True)
class Verdict:
    """On one rule.

    Attributes:
        rule, status: "PASS", "FAIL", "WARN" or "SKIP".
        message: what was seen.
        probe: which probe decided.
        findings: places: {"position", "before", "after", "line", ...}.
    """

    rule: str
    status: str
    message: str
    probe: str
    findings: tuple[Mapping[str, Any], ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


def worst(verdicts: list[Verdict]) -> dict[str, Verdict]:
    """One verdict for each rule: a failure before a warning, before what was not judged, before a pass."""
    rank = {"FAIL": 0, "WARN": 1, "SKIP": 2, "PASS": 3}
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        other = found.get(verdict.rule)
        if other is None or rank[verdict.status] < rank[other.status]:
            found[verdict.rule] = verdict
    return found
