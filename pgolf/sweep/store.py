"""What trials came to, in one SQLite file: a row each, written as soon as it is known."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.files import write_errors
from pgolf.sweep.space import Point

NAME = "sweep.sqlite"
FINISHED, STOPPED, FAILED, OVER = "finished", "stopped", "failed", "over"
DONE = (FINISHED, STOPPED, OVER)
"""States of trials that are not tried again; a failed one is."""
FORMAT = 1


@dataclass
class Row:
    """One trial.

    Attributes:
        key: of what was trained: fingerprint of the sweep and point.
        fingerprint: recipe, options, data and sources; rows of another one are not of this sweep's state.
        state: "finished"; "stopped" at a mark; "failed"; "over", not trained since it is forecast over the cap.
        val_bpb: mean over the seeds; of a stopped trial that at its last mark.
        bytes_total: the most of the seeds; of "over" what is forecast.
        clock: of a stopped trial: its last mark.
        train_seconds: on the training clock, mean over the seeds.
        run_seconds: of all training programs, from start to end.
        trial_seconds: of the whole trial: building, running, reading.
        scores: seed -> BPB.
    """

    key: str
    fingerprint: str
    point: Point
    state: str
    problem: str = ""
    val_bpb: float | None = None
    val_loss: float | None = None
    bytes_total: int | None = None
    code_bytes: int | None = None
    steps: int | None = None
    clock: float | None = None
    train_seconds: float | None = None
    run_seconds: float | None = None
    trial_seconds: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    marks: list[list[float]] = field(default_factory=list)
    host: str = ""
    folder: str = ""
    started: float = 0.0
    ended: float = 0.0

    def dump(self) -> str:
        """As JSON; what is no number is null."""
        values = {name: None if isinstance(one, float) and not math.isfinite(one) else one
                  for name, one in asdict(self).items()}  # fmt: skip
        return json.dumps(values)


def read_row(text: str) -> Row:
    """The inverse of `Row.dump`; ValueError for anything else."""
    found = json.loads(text)
    known = {one.name for one in fields(Row)}
    if not isinstance(found, dict) or not {"key", "fingerprint", "point", "state"} <= set(found):
        raise ValueError("no row of a sweep")
    return Row(**{name: value for name, value in found.items() if name in known})


class Store:
    """The file of a sweep's folder.

    Raises:
        PgolfError: PG001 for one that cannot be read or written, or that is no sweep's.
    """

    def __init__(self, folder: Path, must_exist: bool = False) -> None:
        self.path = folder / NAME
        if must_exist and not self.path.is_file():
            raise PgolfError("PG001", f"there is no {NAME}", str(folder), "give the folder of a sweep: pgolf sweep -o")
        with write_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with self.connected() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, FORMAT):
                text = f"the sweep is of format {version}, this pgolf reads {FORMAT}"
                raise PgolfError("PG001", text, str(self.path), "use the version of pgolf that made it")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS trials (key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, state TEXT NOT NULL,"
                " val_bpb REAL, bytes_total INTEGER, ended REAL, row TEXT NOT NULL)"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute(f"PRAGMA user_version = {FORMAT}")

    @contextlib.contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when it ends well."""
        connection = None
        try:
            connection = sqlite3.connect(self.path, timeout=60)
            connection.execute("PRAGMA synchronous = FULL")
            with connection:
                yield connection
        except sqlite3.Error as error:
            hint = "move it away to begin anew, or make room if the disk is full"
            raise PgolfError("PG001", f"the sweep's results cannot be used: {error}", str(self.path), hint) from None
        finally:
            if connection is not None:
                connection.close()

    def put(self, row: Row) -> None:
        """Keep a row. One that is finished stays, whatever else comes later under its key."""
        with self.connected() as connection:
            connection.execute(
                "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET state=excluded.state,"
                " val_bpb=excluded.val_bpb, bytes_total=excluded.bytes_total, ended=excluded.ended, row=excluded.row"
                " WHERE trials.state != 'finished' OR excluded.state = 'finished'",
                (row.key, row.fingerprint, row.state, row.val_bpb, row.bytes_total, row.ended, row.dump()),
            )

    def rows(self, fingerprint: str = "") -> list[Row]:
        """All rows, or those of one fingerprint, in the order in which they ended."""
        with self.connected() as connection:
            found = connection.execute("SELECT row FROM trials ORDER BY ended, key").fetchall()
        rows = []
        for (text,) in found:
            with contextlib.suppress(ValueError, TypeError):
                rows.append(read_row(text))
        return [row for row in rows if not fingerprint or row.fingerprint == fingerprint]

    def note(self, name: str, value: Any) -> None:
        """Keep something about the sweep as a whole."""
        with self.connected() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, json.dumps(value)))

    def noted(self, name: str, default: Any = None) -> Any:
        """What was kept."""
        with self.connected() as connection:
            found = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return default if found is None else json.loads(found[0])
