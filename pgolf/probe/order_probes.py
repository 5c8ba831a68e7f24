"""Probes that change tokens: suffix, flip and border. They decide causality, score-first, one pass and document borders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pgolf.probe.dependence import TOLERANCE, Violation, different, scores_of, violations
from pgolf.probe.text_streams import Stream
from pgolf.probe.trials import Places, Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Planned, Workshop, reason

FLIPS, SUFFIXES, BORDERS = 6, 3, 2
NEAR, FAR = 1, 8
"""Tokens before the start of a document that are changed for the border."""

RULE_OF = {"direct": "rule.causal", "fitted": "rule.causal", "learnt": "rule.scorefirst", "passes": "rule.onepass"}
HOW = {
    "direct": "depends on",
    "fitted": "comes after a vector was fitted to",
    "learnt": "comes after learning from",
    "passes": "comes from a later pass, which knows",
}


def flips(shop: Workshop) -> dict[str, tuple[Planned, Places]]:
    """One other token each, at positions that are drawn now and spread over the stream."""
    shop.draw_for("flip")
    count = len(shop.official.tokens)
    found = {}
    for number in range(FLIPS):
        low, high = count * number // FLIPS + 2, count * (number + 1) // FLIPS - 2
        at = drawn(shop, low, high)
        found[f"flip{number}"] = planned(shop, f"flip{number}", np.array([at]))
    return found


def suffixes(shop: Workshop) -> dict[str, tuple[Planned, Places]]:
    """Other tokens from a position to the end."""
    shop.draw_for("suffix")
    count = len(shop.official.tokens)
    found = {}
    for number in range(SUFFIXES):
        at = drawn(shop, count * (2 * number + 1) // 8, count * (2 * number + 2) // 8)
        places = np.arange(at, count)
        found[f"suffix{number}"] = planned(shop, f"suffix{number}", places[shop.official.tokens[places] != 1])
    return found


def borders(shop: Workshop, length: int) -> dict[str, tuple[Planned, Places]]:
    """The last token of a document, and one further back, where the next one starts within a window."""
    shop.draw_for("border")
    starts = [at for at in shop.official.starts if FAR + 4 < at % length < length - 12 and ordinary(shop.official, at)]
    found = {}
    for number, start in enumerate(shop.random.permutation(starts)[:BORDERS].tolist()):
        for name, back in (("near", NEAR), ("far", FAR)):
            key = f"border{number}-{name}"
            found[key] = planned(shop, key, np.array([start - back]))
    return found


def ordinary(stream: Stream, start: int) -> bool:
    """Is the document before long enough?"""
    return bool((stream.tokens[start - FAR - 2 : start] != 1).all())


def drawn(shop: Workshop, low: int, high: int) -> int:
    """A position that starts no document."""
    places = [at for at in range(low, high) if shop.official.tokens[at] in set(shop.pieces.normal)]
    return int(shop.random.choice(places))


def planned(shop: Workshop, name: str, places: Places) -> tuple[Planned, Places]:
    """An execution with other tokens at these places."""
    return Planned(name, shop.official.changed(places, shop.random, shop.pieces)), places


def order_verdicts(shop: Workshop, plans: dict[str, tuple[Planned, Places]], noise: Places) -> list[Verdict]:
    """Of flips and suffixes: one verdict on each of the three rules."""
    base = shop.seen["base"]
    found: list[Violation] = []
    failed, compared = [], 0
    for name, (_, places) in plans.items():
        other = shop.seen[name]
        if other.claim is None:
            failed.append(reason(other) or "its score could not be followed")
            continue
        compared += 1
        found += violations(name, base, other, places, noise)
    return [order_verdict(rule, found, compared, failed, base) for rule in sorted(set(RULE_OF.values()))]


def order_verdict(rule: str, found: Sequence[Violation], compared: int, failed: Sequence[str], base: Trial) -> Verdict:
    """A rule's own violations fail it; those of another rule leave it open."""
    own = [one for one in found if RULE_OF[one.kind] == rule]
    if own:
        one = own[0]
        text = f"the {one.what} of position {one.position} {HOW[one.kind]} the token at {one.token}"
        text += f": {one.before:.6f} becomes {one.after:.6f}" if one.what == "score" else ""
        text += f" (line {one.line})" if one.line else ""
        places = len({place.position for place in own})
        more = f"; {places} positions in {len({place.probe for place in own})} of {compared} executions"
        probe = one.probe.rstrip("0123456789")
        return Verdict(rule, "FAIL", text + more, probe, tuple(place.record() for place in own[:8]))
    if found:
        other = RULE_OF[found[0].kind]
        return Verdict(rule, "SKIP", f"scores depend on later tokens, in the way that {other} is about", "flip")
    if not compared:
        return Verdict(rule, "SKIP", f"no changed text could be scored: {failed[0] if failed else 'none was'}", "flip")
    updates = base.of("gradient")
    claim = base.claim
    assert claim is not None
    text = f"{compared} executions with other tokens leave {len(claim.first)} scores as they may be"
    if rule == "rule.scorefirst":
        text += (
            f"; {len(updates)} gradients of validation text, each after its scores"
            if updates
            else "; nothing learns from it"
        )
    return Verdict(rule, "PASS", text, "flip")


def border_verdict(shop: Workshop, plans: dict[str, tuple[Planned, Places]]) -> Verdict:
    """A violation is a document that feels the last token of the one before it, and no token further back."""
    base = shop.seen["base"]
    felt: dict[str, tuple[int, float, float]] = {}
    for name, (_, places) in plans.items():
        other = shop.seen[name]
        if other.claim is None:
            return Verdict("rule.boundary", "SKIP", f"could not be scored: {reason(other) or 'not followed'}", "border")
        start = int(places[0]) + (NEAR if name.endswith("near") else FAR)
        size = len(shop.official.tokens) + 1
        (before, _), (after, _) = scores_of(base, size), scores_of(other, size)
        end = next((at for at in shop.official.starts if at > start), size)
        changed = np.nonzero(different(before, after, TOLERANCE)[start + 1 : end])[0]
        if len(changed):
            at = start + 1 + int(changed[0])
            felt[name] = (at, float(before[at]), float(after[at]))
    near = {name: place for name, place in felt.items() if name.endswith("near")}
    far = {name for name in felt if name.endswith("far")}
    if not plans:
        return Verdict("rule.boundary", "SKIP", "no document starts within a window", "border")
    if near and not far:
        at, before_, after_ = next(iter(near.values()))
        text = (
            f"the score of position {at} depends on the last token of the document before: {before_:.6f}, {after_:.6f}"
        )
        shown = tuple({"position": place[0], "before": place[1], "after": place[2]} for place in near.values())
        return Verdict("rule.boundary", "WARN", f"{text}, and not on tokens further back", "border", shown)
    if far:
        return Verdict(
            "rule.boundary", "SKIP", "documents of a window see each other here: nothing is masked", "border"
        )
    return Verdict("rule.boundary", "PASS", f"{len(plans)} tokens before a start change nothing behind it", "border")
