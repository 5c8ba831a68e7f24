"""One check for every rule that code can be seen to break. A hit is a warning with its line: a person decides, or a probe.

Code without a hit is not shown to keep the rule: only a program that ran shows that, so the rule is not judged.
"""

from __future__ import annotations

from collections.abc import Callable

from pgolf.probe.verdicts import RULES as PROBED
from pgolf.verify.checks_ledgers import LEDGER_RULES, by_ledgers
from pgolf.verify.code_program import NO_TREE
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, skipped, violated

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


# What would show that the rule is kept.
DECIDES = {
    "rule.causal": "change the tokens after a position while it runs: its score stays",
    "rule.normal": "sum the probabilities of all tokens at a position while it runs",
    "rule.scorefirst": "the score ledger of a run of pgolf, or changing the next tokens: earlier scores stay",
    "rule.onepass": "the score ledger of a run of pgolf, or counting the scores of each position while it runs",
    "rule.hindsight": "score another true token in the same place while it runs",
    "rule.calibval": "take the validation data away while it quantizes: the artifact stays",
    "rule.disjoint": "compare the documents of the training shards with those of validation",
    "rule.prefix": "score other documents: the loss stays about the same",
    "rule.bytelut": "count the bytes of the decoded validation text",
    "rule.compute": "a person who knows where every number of the code comes from",
    "rule.clock": "time all of a run from outside",
}


def _judge(rule: str) -> Callable[[View], Outcome]:
    def judge(view: View) -> Outcome:
        """What the score ledgers of the runs say, where there are any; else hits of the rule's patterns in the code."""
        decided = by_ledgers(view, rule) if rule in LEDGER_RULES else None
        if decided is not None:
            return decided
        if view.program.tree is None:
            return skipped(NO_TREE)
        probed = asked(view, rule)
        hits = [hit for hit in view.python.findings if hit.rule == rule]
        if probed is not None and (probed.status != "SKIP" or not hits):
            seen = [hit.evidence() for hit in hits]
            return Outcome(
                probed.status, probed.message, {**probed.evidence, "text": seen} if seen else probed.evidence
            )
        if not hits:
            return skipped(nothing_seen(view, DECIDES[rule]))
        first = hits[0]
        more = f" (and {len(hits) - 1} more)" if len(hits) > 1 else ""
        text = f"{printable(first.file)}:{first.line}: {printable(first.message)}{more}: {printable(first.excerpt)}"
        return violated(text, findings=[hit.evidence() for hit in hits])

    return judge


def asked(view: View, rule: str) -> Outcome | None:
    """The outcome of probes, where they were asked for."""
    if not view.run.probes or rule not in PROBED:
        return None
    from pgolf.verify.probes import by_probe

    return by_probe(view, rule)


def nothing_seen(view: View, decides: str) -> str:
    """Why code without a hit is not judged, and what would."""
    if view.python.unread:
        return f"nothing seen in what was read; not read: {printable(view.python.unread[:200])}"
    if view.program.visits.left < 0:
        return "nothing seen in the part of the code that was looked at; it is too much for the patterns"
    return f"nothing seen in the code, which does not show it; what does: {decides} (`--probe`)"


for _id, (_statement, _source, _example) in RULES.items():
    check(_id, "WARN", _statement, _source, _example)(_judge(_id))
