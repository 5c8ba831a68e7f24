"""The probe of choices among totals: one comparison comes out the other way, and what was compared must stay in the claim.

A script may compare two totals of the same positions and go on with what was better: the scores that it compared are its claim
already. Where these scores themselves become others, they were chosen with the answer in sight.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pgolf.probe.dependence import TOLERANCE, different, scores_of
from pgolf.probe.trials import Ledger, Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Planned, Workshop, reason

TURNED = 3
"""Comparisons that are turned, one in each execution."""
RULE = "rule.hindsight"


def choice_verdicts(shop: Workshop) -> list[Verdict]:
    """rule.hindsight where totals of the same positions are compared, and the claim has one of them."""
    base = shop.seen["base"]
    ledger = base.claim
    assert ledger is not None
    events = compared_in_claim(base, ledger)
    if not events:
        return []
    shop.draw_for("ledger")
    others = shop.random.permutation(len(events) - 1)[: TURNED - 1] + 1
    turned = [events[0], *(events[at] for at in sorted(others.tolist()))]
    names = {f"contrary{event['number']}": event for event in turned}
    trials = shop.run([Planned(name, shop.official, contrary=event["number"]) for name, event in names.items()])
    found = [verdict_of(shop, base, trials[name], event) for name, event in names.items()]
    for status in ("FAIL", "SKIP"):
        worst = [one for one in found if one.status == status]
        if worst:
            return worst[:1]
    return found[:1]


def compared_in_claim(base: Trial, ledger: Ledger) -> list[dict[str, Any]]:
    """Comparisons before the claim, of totals of which one is in it."""
    own = set(ledger.births.tolist())
    events = [event for event in base.of("compare") if event["at"] < ledger.at and isinstance(event.get("number"), int)]
    return [event for event in events if own & set(event["births"])]


def verdict_of(shop: Workshop, base: Trial, other: Trial, event: dict[str, Any]) -> Verdict:
    """Do the scores that were compared stay?"""
    line = int(event["line"])
    where = f"two totals of the same {event['positions']:,} positions are compared (line {line})"
    if other.claim is None:
        why = reason(other) or "its score could not be followed"
        return Verdict(RULE, "SKIP", f"{where}, and with the contrary it cannot be judged: {why}", "ledger")
    size = len(shop.official.tokens) + 1
    (before, _), (after, _) = scores_of(base, size), scores_of(other, size)
    places = np.array([at for at in event["some"] if 0 < at < size], np.int64)
    changed = places[different(before, after, TOLERANCE)[places] | (np.isnan(before) != np.isnan(after))[places]]
    if not len(changed):
        return Verdict(RULE, "PASS", f"{where}, and what was compared does not depend on it", "ledger")
    at = int(changed[0])
    text = f"{where}, and the claim has the better ones: with the contrary the score of position {at} changes"
    place = {"position": at, "before": float(before[at]), "after": float(after[at]), "line": line}
    return Verdict(RULE, "FAIL", f"{text}, {before[at]:.6f} becomes {after[at]:.6f}", "ledger", (place,))
