"""A sweep as one page with nothing to load: the front of BPB and bytes, parallel coordinates, and every trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from pgolf.charts import COLOUR_STYLE, INK, line, svg, text
from pgolf.charts import WIDE as WIDTH
from pgolf.page import document, safe
from pgolf.requant.pareto import svg as pareto
from pgolf.sweep.space import Value
from pgolf.sweep.store import FINISHED, STOPPED, Row
from pgolf.verify.html import STYLE

OWN_STYLE = ".scroll{overflow-x:auto}.paper{background:#fff}"
"""A table of many axes is wider than a phone; the drawing of the front has the colours of paper."""
MOST_LINES = 1000
TOP, BOTTOM, SIDE = 40, 220, 50
GOOD, BAD = (37, 99, 235), (203, 213, 225)
"""Colours of the best and of the worst trial."""


def page(rows: Sequence[Row], about: dict[str, Any], others: int) -> str:
    """The whole page.

    Args:
        rows: of one state of the sweep.
        about: what `pgolf.sweep.sweep.describe` says.
        others: rows that the folder keeps of other states.
    """
    cap = int(about["cap"])
    finished = sorted((row for row in rows if row.state == FINISHED), key=lambda row: row.val_bpb or 0.0)
    counts = ", ".join(f"{count} {state}" for state, count in Counter(row.state for row in rows).most_common())
    body = [f"<h1>{safe(about['name'])}</h1><p>{safe(about['method'])} search, {safe(counts or 'no trials')}</p>"]
    if others:
        body.append(f"<p>{others} trials of other sources, data or options are kept and not shown.</p>")
    fit = [row for row in finished if (row.bytes_total or 0) <= cap]
    if fit:
        body.append(f"<p>Best that fits: <b>{fit[0].val_bpb:.6f} BPB</b>, {fit[0].bytes_total:,} bytes, "
                    f"{safe(words(fit[0]))}</p>")  # fmt: skip
    if finished:
        body += [
            "<h2>BPB against bytes</h2>",
            f'<div class="paper">{pareto(points(finished), cap, joined=False)}</div>',
        ]
        body.append("<p>Ringed: no other trial has fewer bytes and no more BPB.</p>")
    shown = [row for row in rows if row.val_bpb is not None][-MOST_LINES:]
    if shown:
        body += ["<h2>Parallel coordinates</h2>", coordinates(shown, about["axes"])]
        body.append("<p>A line for each trial, the better the bluer; dashed: stopped early, at its score then.</p>")
    body.append(f"<h2>Trials</h2>{table(rows, about['axes'], cap)}")
    return document(f"pgolf sweep {about['name']}", COLOUR_STYLE + STYLE + OWN_STYLE, "".join(body))


def points(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Finished trials as the points of a front; their plugins are the series."""
    made = []
    for row in rows:
        names = [str(value) for name, value in row.point.items() if name.startswith("plugins.") and value]
        rest = {name: value for name, value in row.point.items() if not name.startswith("plugins.")}
        series = " ".join(names) or "recipe"
        made.append({"series": series, "settings": rest, "val_bpb": row.val_bpb, "bytes_total": row.bytes_total})
    return made


def words(row: Row) -> str:
    """`num_layers=10 average=swa`."""
    return " ".join(f"{name.removeprefix('plugins.')}={value}" for name, value in row.point.items())


class Column:
    """One upright axis: numbers from low to high, or words evenly apart."""

    def __init__(self, name: str, values: Sequence[Value | None]) -> None:
        self.name = name
        known = [value for value in values if value is not None]
        self.numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in known)
        if self.numbers:
            self.low, self.high = min(map(float, known), default=0.0), max(map(float, known), default=1.0)
            self.marks = [(f"{self.low:.6g}", 0.0), (f"{self.high:.6g}", 1.0)][: 1 + (self.high > self.low)]
        else:
            kinds = sorted({str(one) for one in known})
            self.places = {one: number / max(len(kinds) - 1, 1) for number, one in enumerate(kinds)}
            self.marks = [(one or "none", place) for one, place in self.places.items()]

    def height(self, value: Value | None) -> float | None:
        """From 0 below to 1 above; None for what a trial does not have."""
        if value is None:
            return None
        if not self.numbers:
            return self.places[str(value)]
        return (float(value) - self.low) / (self.high - self.low) if self.high > self.low else 0.0


def coordinates(rows: Sequence[Row], axes: Sequence[str]) -> str:
    """A line for each trial over its values, bytes and BPB; the best are drawn last."""
    names = [*axes, "bytes", "BPB"]
    values = [[*(row.point.get(name) for name in axes), row.bytes_total, row.val_bpb] for row in rows]
    columns = [Column(name, [one[place] for one in values]) for place, name in enumerate(names)]
    apart = (WIDTH - 2 * SIDE) / (len(names) - 1)
    parts = []
    order = sorted(range(len(rows)), key=lambda number: -(rows[number].val_bpb or 0.0))
    for rank, number in enumerate(order):
        heights = [column.height(value) for column, value in zip(columns, values[number], strict=True)]
        path = " ".join(
            f"{SIDE + place * apart:.1f},{BOTTOM - height * (BOTTOM - TOP):.1f}"
            for place, height in enumerate(heights)
            if height is not None
        )
        share = rank / max(len(rows) - 1, 1)
        colour = "#" + "".join(f"{round(bad + (good - bad) * share):02x}" for good, bad in zip(GOOD, BAD, strict=True))
        row = rows[number]
        dashes = ' stroke-dasharray="4 3"' if row.state == STOPPED else ""
        title = escape(f"{words(row)}: {row.val_bpb:.6f} BPB, {row.state}")
        parts.append(
            f'<polyline fill="none" stroke="{colour}"{dashes} points="{path}"><title>{title}</title></polyline>'
        )
    for place, column in enumerate(columns):
        x = SIDE + place * apart
        anchor = "start" if place == 0 else "end" if place == len(columns) - 1 else "middle"
        parts += [line(x, TOP, x, BOTTOM, INK)]
        parts.append(text(x, TOP - 22 + 12 * (place % 2), column.name.removeprefix("plugins.")[:24], anchor))
        for label, height in column.marks:
            parts.append(text(x + 4, BOTTOM - height * (BOTTOM - TOP) + 12 * (height == 0), label[:14]))
    return svg(WIDTH, BOTTOM + 24, f"{len(rows)} trials over {', '.join(names)}", parts)


def table(rows: Sequence[Row], axes: Sequence[str], cap: int) -> str:
    """Every trial, the best first, those without a score last."""
    ordered = sorted(rows, key=lambda row: (row.state != FINISHED, row.val_bpb is None, row.val_bpb or 0.0, row.key))
    head = "".join(f"<th>{safe(name.removeprefix('plugins.'))}</th>" for name in axes)
    lines = []
    for row in ordered:
        size = "" if row.bytes_total is None else f"{row.bytes_total:,}{'' if row.bytes_total <= cap else ' over'}"
        score = "" if row.val_bpb is None else f"{row.val_bpb:.6f}"
        cells = [str(row.point.get(name, "")) for name in axes]
        cells += [score, size, "" if row.steps is None else str(row.steps), row.state, row.problem, row.folder]
        lines.append(f"<tr>{''.join(f'<td>{safe(cell)}</td>' for cell in cells)}</tr>")
    head += "".join(f"<th>{name}</th>" for name in ("BPB", "bytes", "steps", "state", "problem", "folder"))
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
