"""Probes of the claim: each position once, the mean of the scores, bytes of the text, and one choice among scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pgolf.probe.choice_probe import choice_verdicts
from pgolf.probe.trials import BPB, Ledger, Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Workshop

WEIGHT = 1e-3
"""By which weights of scores may differ."""
WIDE = 0.02
"""By which they differ at least where they are weights, and no other form of the same distribution."""
BYTES = 3e-3
"""Part of the bytes that may be missing, as in `val.bytes`."""
MISSING = 0.25
"""Part of the positions whose absence fails; less is the tail that does not fill a batch."""


def ledger_verdicts(shop: Workshop) -> list[Verdict]:
    """rule.onepass, and rule.hindsight where totals are compared."""
    base = shop.seen["base"]
    ledger = base.claim
    assert ledger is not None
    return [once(shop, base, ledger), *choice_verdicts(shop)]


def last_window(shop: Workshop) -> int:
    """Tokens of a window, where the script says so."""
    return next((int(new) for name, (_, new) in shop.small.changed.items() if "seq_len" in name.lower()), 0)


def once(shop: Workshop, base: Trial, ledger: Ledger) -> Verdict:
    """Each position in the claim once, with one weight."""
    positions, counts = np.unique(ledger.positions, return_counts=True)
    lines = ", ".join(f"line {line}" for line in ledger.lines if line)
    twice = positions[counts > 1]
    if len(twice):
        text = f"{len(twice):,} positions are in the claim more than once, the first at {twice[0]} ({lines})"
        scores = ledger.scores[ledger.positions == twice[0]]
        place = {
            "position": int(twice[0]),
            "before": float(scores[0]),
            "after": float(scores[1]),
            "lines": ledger.lines,
        }
        end = len(shop.official.tokens) - last_window(shop)
        if twice.min() >= end:
            text += ": only some of the last window, as where sliding windows end"
        return Verdict("rule.onepass", "WARN" if twice.min() >= end else "FAIL", text, "ledger", (place,))
    wanted = len(shop.official.tokens) - 1
    missing = wanted - len(positions)
    if missing > MISSING * wanted:
        text = f"{missing:,} of {wanted:,} positions are not in the claim ({lines})"
        absent = np.setdiff1d(np.arange(1, wanted + 1), positions)
        return Verdict("rule.onepass", "FAIL", text, "ledger", ({"position": int(absent[0]), "lines": ledger.lines},))
    problem = weight_problem(base, ledger)
    if problem:
        place = {"position": int(ledger.positions[0]), "value": ledger.value, "lines": ledger.lines}
        return Verdict("rule.onepass", "FAIL", f"{problem} ({lines})", "ledger", (place,))
    tail = f", {missing:,} at the end or at starts are not scored" if missing else ""
    return Verdict("rule.onepass", "PASS", f"each of {len(positions):,} positions is in the claim once{tail}", "ledger")


def weight_problem(base: Trial, ledger: Ledger) -> str:
    """How the claim is no mean of its scores, or ""; where scores are mixed, factors inside of them are not known."""
    own = base.births[1][ledger.births]
    if (np.abs(ledger.scores - own) > 1e-4 * np.maximum(1.0, own)).any():
        mixed = np.median(np.abs(ledger.scores - own)) > 1e-4
        ratio = ledger.scores / np.maximum(own, 1e-12)
        wide = ratio.max() > (1.0 + WIDE) * ratio.min()
        if mixed and wide and len(np.unique(np.round(ratio, 4))) <= len(ratio) // 8:
            return f"scores have different weights in the claim, {ratio.min():.3g} to {ratio.max():.3g} of their mean"
        return ""
    if is_loss(base, ledger) and abs(ledger.share - 1.0) > WEIGHT:
        return f"the claim is {ledger.share:.4f} of the mean of its scores"
    return ""


def is_loss(base: Trial, ledger: Ledger) -> bool:
    """Is the claim in nats, not in bits per byte?"""
    claimed = base.claimed
    return claimed is not None and abs(claimed[0] - ledger.value) < 1e-3


def bytes_verdict(shop: Workshop) -> Verdict:
    """Bytes that loss and bits per byte imply, against those of the decoded text."""
    base = shop.seen["base"]
    ledger, claimed = base.claim, base.claimed
    if ledger is not None and claimed is None:
        claimed = by_bits(base, ledger)
    if ledger is None or claimed is None:
        return Verdict("rule.bytelut", "SKIP", "no line has both val_loss and val_bpb", "bytes")
    loss, bpb = claimed
    counts = np.array(shop.bytes_of(shop.official))
    positions = ledger.positions
    true = int(counts[positions].sum())
    implied = loss / math.log(2.0) / bpb * len(positions)
    off = implied / true - 1.0
    evidence: Mapping[str, Any] = {"implied": implied, "decoded": true, "tokens": len(positions)}
    if abs(off) > BYTES:
        text = f"the claim implies {implied:,.0f} bytes for {len(positions):,} tokens, their text has {true:,} ({off:+.2%})"
        return Verdict("rule.bytelut", "FAIL", text, "bytes", ({"position": int(positions[0]), **evidence},), evidence)
    return Verdict(
        "rule.bytelut", "PASS", f"{true:,} bytes of text, the claim implies {implied:,.0f}", "bytes", (), evidence
    )


def by_bits(base: Trial, ledger: Ledger) -> tuple[float, float] | None:
    """(loss, bits per byte) of two lines, or of one: bits of the same scores, each of which is that of its distribution."""
    own = base.births[1][ledger.births]
    plain = np.abs(ledger.scores - own) <= 1e-4 * np.maximum(1.0, own)
    said = BPB.findall(base.printed)
    bits = [one for one in base.ledgers if said and one.text == said[-1] and np.array_equal(one.births, ledger.births)]
    return (float(ledger.scores.mean()), bits[-1].value) if bits and plain.all() and bits[-1].value > 0 else None
