"""The public leaderboard as data, and the row that a submission has to beat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pgolf.challenge import RULES_FOLDER
from pgolf.errors import PgolfError

RECORD_TRACK = "10min_16mb"
BOARD_NAME = "leaderboard.json"


@dataclass(frozen=True)
class Row:
    """One row: `seed_val_bpb` holds the logged score of each seed, where it is known."""

    track: str
    name: str
    val_bpb: float
    date: str
    pr: int | None = None
    seed_val_bpb: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        """`#1855`, or the name."""
        return f"#{self.pr}" if self.pr is not None else self.name


@cache
def load_board() -> tuple[str, tuple[Row, ...]]:
    """(the day it is of, rows): each track from the best score down."""
    document = json.loads((RULES_FOLDER / BOARD_NAME).read_text(encoding="utf-8"))
    rows = [Row(**{**row, "seed_val_bpb": tuple(row.get("seed_val_bpb", ()))}) for row in document["rows"]]
    return document["as_of"], tuple(sorted(rows, key=lambda row: (row.track, row.val_bpb)))


def rows_of(track: str = RECORD_TRACK) -> tuple[Row, ...]:
    """The rows of one track, best first."""
    return tuple(row for row in load_board()[1] if row.track == track)


def find_row(pr: int) -> Row:
    """The row of a pull request; PG504 where there is none."""
    found = next((row for row in load_board()[1] if row.pr == pr), None)
    if found is None:
        raise PgolfError(
            "PG504", f"the leaderboard has no row of pull request {pr}", "", "pgolf leaderboard shows them"
        )
    return found


def own_row(values: Sequence[float], headline: float | None) -> Row | None:
    """The row that these runs made: it has their scores, or the headline rounds to its own."""
    mine = {round(value, 6) for value in values}
    for row in rows_of():
        if row.seed_val_bpb and {round(value, 6) for value in row.seed_val_bpb} <= mine:
            return row
    near = [row for row in rows_of() if headline is not None and abs(row.val_bpb - headline) <= 6e-5]
    return near[0] if near else None


def row_to_beat(values: Sequence[float], headline: float | None) -> Row | None:
    """The best row with the scores of each seed; for runs that are a row themselves, the next one below.

    Dates are not used: rows were added in the order of their scores, and a claim's date is the author's.
    """
    rows, own = rows_of(), own_row(values, headline)
    below = rows[rows.index(own) + 1 :] if own is not None else rows
    return next((row for row in below if len(row.seed_val_bpb) > 1), None)
