"""Which scores depend on which tokens, from executions that differ in a few tokens.

The score of a position may depend on a token that comes before it, or that was scored before it was. Anything else is a
violation, and how it comes about says of which rule: by learning from the token, by going over the text again, or directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pgolf.probe.trials import Ledger, Places, Trial

TOLERANCE = 1e-6
"""Nats by which equal scores may differ; relative above one nat."""
DIGEST_TOLERANCE = 1e-4
"""Of a weighted sum of all log-probabilities."""
SHOWN = 8


@dataclass(frozen=True)
class Violation:
    """A score that depends on a token that it must not know.

    Attributes:
        probe: of which execution.
        position: whose score, or whose distribution, changed.
        token: the position of the token that was changed.
        before, after: both scores, or both digests where it is the distribution.
        line: of the script, where the score was picked from its distribution; 0 where that is not known.
        kind: "learnt", "fitted", "passes" or "direct".
    """

    probe: str
    position: int
    token: int
    before: float
    after: float
    line: int
    kind: str
    what: str = "score"

    def record(self) -> dict[str, Any]:
        """For reports."""
        return self.__dict__.copy()


@dataclass(frozen=True)
class Order:
    """When each position was scored, and added, in the claim of the unchanged execution; -1 where it never was."""

    born: Places
    added: Places

    @staticmethod
    def of(trial: Trial, ledger: Ledger, size: int) -> Order:
        """From a ledger."""
        born, added = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
        for position, place in ledger.first.items():
            born[position] = int(trial.births[3][ledger.births[place]])
            added[position] = place
        return Order(born, added)

    def allowed(self, position: int, token: int) -> bool:
        """May the score of `position` depend on the token at `token`?"""
        if self.born[token] < 0:
            return token < position
        if token > position:
            return bool(self.born[token] < self.born[position])
        if token < position:
            earlier = self.born[position] < self.born[token] and self.added[position] < self.added[token]
            return not earlier
        return True


def scores_of(trial: Trial, size: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(score, digest of the distribution) of every position in the claim, NaN where there is none."""
    scores, digests = np.full(size, np.nan), np.full(size, np.nan)
    ledger = trial.claim
    if ledger is not None:
        for position, place in ledger.first.items():
            scores[position] = ledger.scores[place]
            digests[position] = trial.births[2][ledger.births[place]]
    return scores, digests


def different(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any], tolerance: float) -> np.ndarray[Any, Any]:
    """Where both are numbers and differ."""
    with np.errstate(invalid="ignore"):
        found: np.ndarray[Any, Any] = np.abs(first - second) > tolerance * np.maximum(1.0, np.abs(first))
    return found


def violations(probe: str, base: Trial, other: Trial, tokens: Places, noise: Places) -> list[Violation]:
    """What changed in `other` and must not, with other tokens at `tokens`; positions in `noise` change by themselves."""
    ledger = base.claim
    if ledger is None or other.claim is None:
        return []
    size = int(max(base.births[0].max(initial=0), tokens.max(initial=0))) + 2
    order = Order.of(base, ledger, size)
    (before, digest), (after, digest_after) = scores_of(base, size), scores_of(other, size)
    changed = different(before, after, TOLERANCE)
    changed[tokens] = False
    changed[noise[noise < size]] = False
    found = []
    for position in np.nonzero(changed)[0].tolist():
        if any(order.allowed(position, token) for token in tokens.tolist()):
            continue
        token = int(tokens[0])
        found.append(make(probe, base, other, ledger, position, token, float(before[position]), float(after[position])))
    first = int(tokens.min())
    others = [token for token in tokens.tolist() if token != first]
    known = any(order.allowed(first, token) for token in others)
    if different(digest, digest_after, DIGEST_TOLERANCE)[first] and first not in noise and not known:
        found.append(
            make(
                probe,
                base,
                other,
                ledger,
                first,
                first,
                float(digest[first]),
                float(digest_after[first]),
                "distribution",
            )
        )
    return found


def make(
    probe: str,
    base: Trial,
    other: Trial,
    ledger: Ledger,
    position: int,
    token: int,
    before: float,
    after: float,
    what: str = "score",
) -> Violation:
    """A violation with its kind."""
    birth = int(ledger.births[ledger.first[position]])
    born, line = int(base.births[3][birth]), int(base.births[4][birth])
    kind = kind_of(base, other, position, token, birth, born)
    return Violation(probe, position, token, before, after, line, kind, what)


def kind_of(base: Trial, other: Trial, position: int, token: int, birth: int, born: int) -> str:
    """How a score comes to know a token: by learning from it, by a vector fitted to it, by an earlier pass, or directly."""
    taught = [event for event in base.of("gradient") if event["at"] < born and token in event["positions"]]
    if taught:
        steps = [event for event in base.of("step") if taught[-1]["at"] < event["at"] < born]
        leaves = steps[0]["leaves"] if steps else taught[-1]["leaves"]
        return "fitted" if is_fitted(leaves) else "learnt"
    earlier = np.nonzero((base.births[0] == position) & (base.births[3] < born))[0]
    if len(earlier):
        later = np.nonzero(other.births[0] == position)[0]

        def changes(row: int, tolerance: float) -> np.ndarray[Any, Any]:
            before, after = np.meshgrid(base.births[row][earlier], other.births[row][later])
            return different(before, after, tolerance)

        # An earlier score that does not know the token is the same; one that knows a little of it is nearly so. That of the
        # token itself is of another target, so that only its distribution can be the same.
        other_score = changes(1, TOLERANCE) if position != token else False
        if not (changes(2, DIGEST_TOLERANCE) | other_score).all():
            whole = len(np.unique(base.births[0][base.births[3] < born]))
            if 2 * whole > len(np.unique(base.births[0])):
                return "passes"
    return "direct"


def is_fitted(leaves: Iterable[list[int]]) -> bool:
    """Are these a few vectors, as SLOT has them, and no weights of a model?"""
    shapes = [shape for shape in leaves if shape]
    if not shapes or len(shapes) > 3:
        return False
    return all(len(shape) == 1 or any(size == 1 for size in shape[:-1]) or len(shape) == 3 for shape in shapes)
