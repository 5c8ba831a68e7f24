"""Several runs side by side: rows for a table, and curves for a plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from pgolf.logs.record import RunRecord

MOST_POINTS = 1500


class Curve(NamedTuple):
    """One line of a plot."""

    name: str
    kind: str
    points: list[tuple[float, float]]


def summary(record: RunRecord) -> dict[str, Any]:
    """What a row of the table shows."""
    final = record.headline
    return {
        "seed": record.seed,
        "family": record.family,
        "steps": record.steps,
        "train_seconds": _seconds(record.train_ms),
        "eval_seconds": _seconds(record.eval_ms),
        "label": final.label if final else "",
        "val_loss": float(final.val_loss) if final else None,
        "val_bpb": float(final.val_bpb) if final else None,
        "total_bytes": record.total_bytes,
        "code_bytes": record.code_bytes,
        "hardware": record.hardware,
        "runs": record.runs,
    }


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds / 1000.0, 3)


def full(record: RunRecord) -> dict[str, Any]:
    """Everything, for JSON."""
    return {**summary(record), "record": asdict(record)}


def curves(records: Mapping[str, RunRecord]) -> list[Curve]:
    """Training and validation loss over steps, thinned to what a plot can show."""
    made = []
    for name, record in records.items():
        train = [(float(line.step), line.loss) for line in record.train]
        val = [(float(step), float(pair.val_loss)) for step, pair in record.vals]
        made += [Curve(name, kind, thin(points)) for kind, points in (("train", train), ("val", val)) if points]
    return made


def thin(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` finite points, the last one among them."""
    finite = [point for point in points if point[1] == point[1] and abs(point[1]) < 1e9]
    stride = -(-len(finite) // MOST_POINTS) or 1
    kept = finite[::stride]
    return kept if not finite or kept[-1] == finite[-1] else [*kept, finite[-1]]
