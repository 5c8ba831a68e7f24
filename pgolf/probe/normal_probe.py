"""The probe of rule.normal: at one position every token of the vocabulary in turn, and the sum of their probabilities.

A score that is its own softmax's sums to one by itself. Only scores that something was mixed into need the whole vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pgolf.probe.text_streams import Stream
from pgolf.probe.trials import Places, Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Planned, Workshop, reason

SUM = 1e-3
OWN = 1e-4
"""Nats by which a score may differ from that of its softmax, relative above one."""
POSITIONS = 2


def mixed_positions(trial: Trial) -> Places:
    """Positions whose score is not that of the distribution that it was picked from."""
    ledger = trial.claim
    assert ledger is not None
    own = trial.births[1][ledger.births]
    return np.unique(ledger.positions[np.abs(ledger.scores - own) > OWN * np.maximum(1.0, own)])


def normal_verdicts(shop: Workshop, smaller: Callable[[], Workshop | str], changed: bool) -> list[Verdict]:
    """rule.normal, and rule.hindsight where a score was chosen among several.

    Args:
        smaller: makes a workshop with a small vocabulary, or says why there is none.
        changed: whether a distribution was seen to depend on its own target; then that is told.
    """
    base = shop.seen["base"]
    claim = base.claim
    assert claim is not None
    mixed = mixed_positions(base)
    picked = sorted({base.choices[birth] for birth in claim.births.tolist() if birth in base.choices})
    if changed:
        text = "a distribution depends on its own target, see rule.causal"
        return [Verdict(rule, "SKIP", text, "substitution") for rule in ("rule.normal", "rule.hindsight")]
    if not len(mixed) and not picked:
        text = f"all {len(claim.first):,} scores are those of their own softmax, which does not depend on its target"
        return [Verdict("rule.normal", "PASS", text, "substitution"), no_choice()]
    small = smaller()
    if isinstance(small, str):
        return open_verdicts(small)
    return substituted(small, picked)


def no_choice() -> Verdict:
    """Nothing was chosen among scores."""
    return Verdict("rule.hindsight", "PASS", "no score is chosen among several", "substitution")


def open_verdicts(why: str) -> list[Verdict]:
    """Neither rule can be judged."""
    return [
        Verdict(rule, "SKIP", f"scores are mixed, and {why}", "substitution")
        for rule in ("rule.normal", "rule.hindsight")
    ]


def substituted(shop: Workshop, picked: list[str]) -> list[Verdict]:
    """Sum over the whole vocabulary at some positions, drawn among those where something was mixed in."""
    base = shop.run([Planned("base", shop.official)])["base"]
    if base.claim is None:
        return open_verdicts(f"it does not run with {shop.vocabulary} tokens: {reason(base)}")
    places = mixed_positions(base)
    chosen = [birth for birth in base.claim.births.tolist() if birth in base.choices]
    if chosen:
        places = np.unique(np.concatenate([places, base.births[0][chosen].astype(np.int64)]))
    if not len(places):
        return open_verdicts(f"no score of the text with {shop.vocabulary} tokens is")
    normal = set(shop.pieces.normal)
    places = np.array([at for at in places.tolist() if shop.official.tokens[at] in normal])
    sums: list[tuple[int, float, float]] = []
    shop.draw_for("substitution")
    for position in shop.random.permutation(places)[:POSITIONS].tolist():
        total = probability_sum(shop, position)
        if isinstance(total, str):
            return open_verdicts(f"a changed text could not be scored: {total}")
        sums.append((position, *total))
        if total[0] > 1.0 + SUM:
            break
    return sum_verdicts(shop, base, sums, picked, len(places))


def probability_sum(shop: Workshop, position: int) -> tuple[float, float] | str:
    """(sum, the part of tokens that could not be put there, by the model's own word) or why there is none."""
    plans = []
    for token in range(shop.vocabulary):
        tokens = shop.official.tokens.copy()
        tokens[position] = token
        plans.append(Planned(f"at{position}-{token}", Stream(tokens)))
    trials = shop.run(plans)
    total, missing = 0.0, 0
    for trial in trials.values():
        ledger = trial.claim
        place = None if ledger is None else ledger.first.get(position)
        if ledger is None or place is None:
            missing += 1
            continue
        total += math.exp(-min(float(ledger.scores[place]), 700.0))
    if missing > 3:
        bad = next(trial for trial in trials.values() if trial.claim is None or position not in trial.claim.first)
        return reason(bad) or "its score could not be followed"
    return total, missing / shop.vocabulary


def sum_verdicts(
    shop: Workshop, base: Trial, sums: list[tuple[int, float, float]], picked: list[str], count: int
) -> list[Verdict]:
    """From the sums."""
    claim = base.claim
    assert claim is not None
    places = tuple(
        {
            "position": position,
            "sum": total,
            "score": float(claim.scores[claim.first[position]]),
            "softmax": float(base.births[1][claim.births[claim.first[position]]]),
            "line": int(base.births[4][claim.births[claim.first[position]]]),
        }
        for position, total, _ in sums
    )
    worst = max(sums, key=lambda one: abs(one[1] - 1.0))
    position, total, absent = worst
    line = places[[one[0] for one in sums].index(position)]["line"]
    text = f"the probabilities of all {shop.vocabulary} tokens at position {position} sum to {total:.4f} (line {line})"
    rule = "rule.hindsight" if picked else "rule.normal"
    other = "rule.normal" if picked else "rule.hindsight"
    how = f"; {picked[0]} chooses among scores" if picked else ""
    if total > 1.0 + SUM:
        return [
            Verdict(rule, "FAIL", text + how, "substitution", places),
            Verdict(other, "SKIP", f"see {rule}: probabilities do not sum to one", "substitution"),
        ]
    if total < 1.0 - SUM - 3.0 * absent:
        return [
            Verdict("rule.normal", "FAIL", text, "substitution", places),
            Verdict("rule.hindsight", "SKIP", "see rule.normal: probabilities do not sum to one", "substitution"),
        ]
    text = f"at {len(sums)} of {count} mixed positions the probabilities of all {shop.vocabulary} tokens sum to {total:.4f}"
    return [
        Verdict("rule.normal", "PASS", text, "substitution", places),
        Verdict("rule.hindsight", "PASS", f"what is chosen among scores sums to one: {total:.4f}", "substitution"),
    ]
