"""Probes that need real text: other documents for the official ones, and runs of tokens in training and validation shards."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pgolf.probe.piece_file import BOS
from pgolf.probe.text_streams import Stream, Tokens, read_shard
from pgolf.probe.trials import Trial
from pgolf.probe.verdicts import Verdict
from pgolf.probe.workshop import Given, Planned, Workshop, reason

TOKENS = 1537
GAP = 0.1
"""Nats by which the official text may be easier than both others, besides four standard errors."""
SHINGLE, SHINGLES = 24, 4
"""Tokens of a run, and runs of a document that are looked for."""
MOST = 0.01
"""Part of the documents that may be in both: pages are copied on the web as well."""
SECONDS = 120.0
FACTOR = np.uint64(0x9E3779B97F4A7C15)
CHUNK = 1 << 22


def given_text(validation: Path, training: Path, tokenizer: Path) -> Given:
    """The beginning of real shards."""
    return Given(Stream(read_shard(validation, TOKENS)), Stream(read_shard(training, 40_000)), tokenizer.read_bytes())


def other_text_plans(shop: Workshop) -> list[Planned]:
    """The official text, its documents in another order, and as many tokens of training documents."""
    return [
        Planned("base", shop.official),
        Planned("permuted", shop.official.permuted(shop.random)),
        Planned("other", Stream(shop.train.tokens[-len(shop.official.tokens) :])),
    ]


def other_text_verdict(shop: Workshop) -> Verdict:
    """rule.prefix: a model that was trained for two steps likes no text better than another."""
    trials = shop.run(other_text_plans(shop))
    losses: dict[str, tuple[float, float]] = {}
    for name, trial in trials.items():
        found = loss_of(trial)
        if found is None:
            why = reason(trial) or "it prints no val_loss"
            return Verdict("rule.prefix", "SKIP", f"the {name} text could not be scored: {why}", "other-text")
        losses[name] = found
    official, error = losses["base"]
    least = min(losses["permuted"][0], losses["other"][0])
    text = f"val_loss {official:.4f} on the official text, {losses['permuted'][0]:.4f} with its documents in another order, "
    text += f"{losses['other'][0]:.4f} on other documents"
    if official < losses["other"][0] - GAP - 4 * error and official < least + GAP:
        place = {"position": best_position(trials["base"]), "before": official, "after": losses["other"][0]}
        return Verdict("rule.prefix", "FAIL", text, "other-text", (place,))
    return Verdict("rule.prefix", "PASS", text, "other-text")


def loss_of(trial: Trial) -> tuple[float, float] | None:
    """(val_loss, standard error of it) that a trial printed last."""
    if trial.claimed is None:
        return None
    ledger = trial.claim
    scores = ledger.scores if ledger is not None else trial.births[1]
    return trial.claimed[0], float(np.std(scores) / max(len(scores), 1) ** 0.5) if len(scores) else 0.0


def best_position(trial: Trial) -> int:
    """The position with the best score."""
    ledger = trial.claim
    return int(ledger.positions[np.argmin(ledger.scores)]) if ledger is not None and len(ledger.scores) else 0


def overlap_verdict(validation: Sequence[Path], training: Sequence[Path], seconds: float = SECONDS) -> Verdict:
    """rule.disjoint: how many validation documents have most of their runs in the training shards."""
    documents: dict[int, set[int]] = {}
    for path in validation:
        for number, keys in enumerate(document_keys(read_shard(path)), len(documents)):
            documents[number] = keys
    documents = {number: keys for number, keys in documents.items() if keys}
    wanted = np.array(sorted(set().union(*documents.values())), np.uint64) if documents else np.zeros(0, np.uint64)
    if not len(wanted):
        return Verdict("rule.disjoint", "SKIP", f"no validation document has {SHINGLE} tokens", "overlap")
    found: set[int] = set()
    end, looked = time.monotonic() + seconds, 0
    for path in training:
        if time.monotonic() > end:
            break
        tokens = read_shard(path)
        for start in range(0, max(len(tokens) - SHINGLE + 1, 1), CHUNK):
            found.update(present(wanted, tokens[start : start + CHUNK + SHINGLE - 1]))
        looked += 1
    both = [number for number, keys in documents.items() if 4 * len(keys & found) >= 3 * len(keys)]
    text = (
        f"{len(both):,} of {len(documents):,} validation documents are in {looked} of {len(training)} training shards"
    )
    if len(both) > MOST * len(documents):
        places = tuple({"position": number, "what": "document"} for number in both[:8])
        return Verdict("rule.disjoint", "FAIL", text, "overlap", places)
    if looked < len(training):
        return Verdict("rule.disjoint", "SKIP", f"{text}; the others were not read within {seconds:.0f} s", "overlap")
    return Verdict("rule.disjoint", "WARN" if both else "PASS", text, "overlap")


def document_keys(tokens: Tokens) -> list[set[int]]:
    """Keys of some runs of each document, spread over it."""
    starts = np.nonzero(tokens == BOS)[0].tolist() or [0]
    keys = shingle_keys(tokens)
    found = []
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        last = end - SHINGLE
        places = np.linspace(start + 1, last, SHINGLES).astype(np.int64).tolist() if last > start else []
        found.append({int(keys[place]) for place in places})
    return found


def present(wanted: NDArray[np.uint64], tokens: Tokens) -> list[int]:
    """Which keys are among the runs of these tokens."""
    keys = shingle_keys(tokens)
    at = np.searchsorted(wanted, keys)
    at[at == len(wanted)] = 0
    found: list[int] = np.unique(keys[wanted[at] == keys]).tolist()
    return found


def shingle_keys(tokens: Tokens) -> NDArray[np.uint64]:
    """A key of every run of `SHINGLE` tokens."""
    count = max(len(tokens) - SHINGLE + 1, 0)
    keys = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for offset in range(SHINGLE):
            keys = keys * FACTOR + tokens[offset : offset + count].astype(np.uint64) + np.uint64(1)
            keys ^= keys >> np.uint64(31)
    return keys
