"""One check for every rule that code can be seen to break. A hit is a warning with its line: a person decides."""

from __future__ import annotations

from collections.abc import Callable

from pgolf.verify.code_patterns import Finding
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, passed, skipped, violated

# The rules' ids are those of the development split; a static hit is a suspicion, whatever the rule's own severity.
RULES: dict[str, tuple[str, str, str]] = {
    "rule.causal": (
        "a token's probability depends on the artifact and earlier tokens",
        "#1017 C1; #1240, #1336",
        "a delta is fitted to the positions that it scores",
    ),
    "rule.normal": (
        "scored probabilities sum to one, whatever the true token",
        "#677, #779, #1026, #1185",
        "context_hash ^ (target * prime)",
    ),
    "rule.scorefirst": (
        "validation tokens are scored before anything is adapted to them",
        "challenge README; #402, #677",
        "the loop calls backward() before it sums up the loss",
    ),
    "rule.onepass": ("every position is scored once", "#846, #959, #991", "def two_pass_eval(model, val_tokens)"),
    "rule.hindsight": ("no choice among scores by the true token", "#573, #611, #659", "torch.minimum(nll_a, nll_b)"),
    "rule.calibval": (
        "quantization is not calibrated on validation tokens",
        "#728",
        "collect_hessians(model, val_tokens)",
    ),
    "rule.disjoint": (
        "training shards hold no validation documents",
        "#2018, #2127, #2130",
        "--val-docs is 10,000 by default",
    ),
    "rule.prefix": (
        "the code carries no validation text",
        "challenge README; #168, #262",
        "a literal of 48,000 characters",
    ),
    "rule.bytelut": (
        "the byte table counts each byte of the text once",
        "#897, #1271, #1804",
        "bytes_per_token = 2.436",
    ),
    "rule.compute": (
        "no values that were computed elsewhere are in the code",
        "challenge README; #1779",
        "a table of 512 numbers",
    ),
    "rule.clock": ("all work is on the clock", "challenge README; #1908, #1956", "the setting FORCE_STOP_STEP"),
}


def _judge(rule: str) -> Callable[[View], Outcome]:
    def judge(view: View) -> Outcome:
        """Hits of the rule's patterns in the program and in scripts beside it."""
        if view.program.tree is None:
            return skipped("needs a train_gpt.py that parses")
        hits = [hit for hit in findings(view) if hit.rule == rule]
        if not hits:
            return passed("no pattern of it in the code; only running it would prove it")
        first = hits[0]
        more = f" (and {len(hits) - 1} more)" if len(hits) > 1 else ""
        text = f"{printable(first.file)}:{first.line}: {printable(first.message)}{more}: {printable(first.excerpt)}"
        return violated(text, findings=[hit.evidence() for hit in hits])

    return judge


def findings(view: View) -> list[Finding]:
    """All hits of a view, from the program and the scripts beside it."""
    return [*view.program.findings, *(hit for helper in view.helpers for hit in helper.findings)]


for _id, (_statement, _source, _example) in RULES.items():
    check(_id, "WARN", _statement, _source, _example)(_judge(_id))
