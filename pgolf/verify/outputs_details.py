"""Numbers behind a report that the HTML page draws: bytes, seeds, loss curves. Plain data that travels between processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pgolf.run.figures import result
from pgolf.verify.folder import View

POINTS = 240
"""Most points of a curve that are drawn."""
RUNS = 16


@dataclass
class Details:
    """What one folder's page shows besides its checks; numbers that are not known are None.

    Attributes:
        seeds: (name, val_bpb) of each log with a final score.
        train, val, bpb: name of the log -> points (step, loss), and (step, bits per byte) of validations.
        results: name of the log -> its seed, and what `pgolf.run.figures.result` says of a run with a final score.
    """

    name: str = ""
    author: str = ""
    claimed: float | None = None
    cap: int = 0
    code_bytes: int | None = None
    model_bytes: int | None = None
    seeds: list[tuple[str, float]] = field(default_factory=list)
    train: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    val: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    bpb: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    results: dict[str, dict[str, float | None]] = field(default_factory=dict)


def details(view: View) -> Details:
    """Collect them; what a folder does not say stays empty."""
    claim = view.claim[0] or {}
    found = Details(_text(claim.get("name")), _text(claim.get("author")), _number(claim.get("val_bpb")))
    found.cap = view.challenge.artifact_cap
    found.code_bytes = len(view.code[0]) if view.code[0] is not None else None
    models = [path.stat().st_size for files in view.artifacts.values() for path in files.values()]
    models += [record.model_bytes for record in view.logs.values() if record.model_bytes is not None]
    found.model_bytes = max(models, default=None)
    for name, record in list(view.logs.items())[:RUNS]:
        shown = f"seed {record.seed}" if record.seed is not None else name
        shown = shown if shown not in found.train else name
        score = _number(record.headline.val_bpb) if record.headline else None
        if score is not None:
            found.seeds.append((shown, score))
            figures = {"seed": record.seed, **result(record)}
            found.results[shown] = {key: _number(value) for key, value in figures.items()}
        found.train[shown] = thin([(line.step, line.loss) for line in record.train])
        found.val[shown] = thin([(step, pair.val_loss) for step, pair in record.vals])
        found.bpb[shown] = thin([(step, pair.val_bpb) for step, pair in record.vals])
    return found


def thin(points: Sequence[tuple[Any, Any]]) -> list[tuple[float, float]]:
    """At most `POINTS` points with finite numbers, evenly chosen, first and last among them."""
    numbers = [(_number(x), _number(y)) for x, y in points]
    kept = [(x, y) for x, y in numbers if x is not None and y is not None]
    if len(kept) <= POINTS:
        return kept
    return [kept[round(at * (len(kept) - 1) / (POINTS - 1))] for at in range(POINTS)]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < 1e12 else None


def _text(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""
