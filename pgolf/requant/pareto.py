"""BPB against bytes: which points no other beats, and pictures of them, as a page with nothing to load or as a PNG."""

from __future__ import annotations

import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.files import write_atomically
from pgolf.logs.plot import BOTTOM, COLOURS, HEIGHT, TOP, WIDTH, ticks

LEFT = 80
MARGIN = 0.05
Result = dict[str, Any]


def front(points: Sequence[Result]) -> list[Result]:
    """The points with the least BPB for their bytes, smallest first: every other point has one that is no worse in both."""
    found: list[Result] = []
    for point in sorted(points, key=lambda one: (one["bytes_total"], one["val_bpb"])):
        if not found or point["val_bpb"] < found[-1]["val_bpb"]:
            found.append(point)
    return found


def gather(folder: Path, points: Sequence[Result]) -> list[Result]:
    """The points of this sweep, and all others that the folder keeps for the same weights."""
    known = {point["key"] for point in points}
    own = [point for point in points if not point["problem"]]
    others = []
    for path in sorted((folder / "points").glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("problem") == "" and found.get("key") not in known:
            others.append(found)
    return [*own, *(one for one in others if own and one.get("weights") == own[0].get("weights"))]


def curves(points: Sequence[Result]) -> dict[str, list[Result]]:
    """Points by recipe, smallest first."""
    found: dict[str, list[Result]] = {}
    for point in sorted(points, key=lambda one: one["bytes_total"]):
        found.setdefault(point["series"], []).append(point)
    return found


def title_of(point: Result) -> str:
    """What a point is, in words."""
    settings = " ".join(f"{name}={value}" for name, value in point["settings"].items())
    return f"{point['series']} {settings}".strip()


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Limits of an axis."""
    low, high = min(values), max(values)
    room = MARGIN * (high - low) or MARGIN * abs(high) or 1.0
    return low - room, high + room


def svg(points: Sequence[Result], cap: int, joined: bool = True) -> str:
    """The drawing alone: a curve for each recipe, the front as rings, the cap as a line where it is in sight.

    Args:
        joined: whether the points of a recipe are one after the other on a curve.
    """
    x0, x1 = spread([point["bytes_total"] for point in points])
    y0, y1 = spread([point["val_bpb"] for point in points])

    def across(size: float) -> float:
        return LEFT + (WIDTH - LEFT - TOP) * (size - x0) / (x1 - x0)

    def down(bpb: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (bpb - y0) / (y1 - y0)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<style>text{font:12px sans-serif;fill:#444}.grid{stroke:#ddd}path{fill:none;stroke-width:1.5}</style>",
    ]
    for value in ticks(y0, y1):
        line = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - TOP}" y1="{down(value):.1f}" y2="{down(value):.1f}"/>'
        parts.append(line + f'<text x="{LEFT - 6}" y="{down(value) + 4:.1f}" text-anchor="end">{value:.6g}</text>')
    for value in ticks(x0, x1):
        parts.append(
            f'<text x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{round(value):,}</text>'
        )
    if x0 <= cap <= x1:
        x = f"{across(cap):.1f}"
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#d62728"><title>cap</title></line>'
        )
    best = [id(point) for point in front(points)]
    for number, (_, curve) in enumerate(curves(points).items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(one['bytes_total']):.1f},{down(one['val_bpb']):.1f}" for one in curve)
        if joined:
            parts.append(f'<path d="M {path}" stroke="{colour}"/>')
        for one in curve:
            ring = ' stroke="#000" stroke-width="1.5"' if id(one) in best else ""
            place = f'cx="{across(one["bytes_total"]):.1f}" cy="{down(one["val_bpb"]):.1f}"'
            text = html.escape(f"{title_of(one)}: {one['val_bpb']:.6f} BPB, {one['bytes_total']:,} bytes")
            parts.append(f'<circle {place} r="4" fill="{colour}"{ring}><title>{text}</title></circle>')
    return "\n".join([*parts, f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">bytes</text></svg>'])


def page(points: Sequence[Result], cap: int) -> str:
    """A page with the drawing, a legend and the numbers."""
    legend = "".join(
        f'<li style="color:{COLOURS[number % len(COLOURS)]}">{html.escape(name)}</li>'
        for number, name in enumerate(curves(points))
    )
    best = [id(point) for point in front(points)]
    rows = "".join(
        f"<tr><td>{html.escape(title_of(one))}</td><td>{one['val_bpb']:.6f}</td><td>{one['bytes_total']:,}</td>"
        f"<td>{'yes' if id(one) in best else ''}</td><td>{'yes' if one['bytes_total'] <= cap else 'no'}</td></tr>"
        for one in sorted(points, key=lambda one: one["bytes_total"])
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>BPB against bytes</title>\n'
        '<body style="font-family:sans-serif;max-width:1000px;margin:2em auto">\n<h1>BPB against bytes</h1>\n'
        f"{svg(points, cap)}\n<ul>{legend}</ul>\n<p>Ringed: no other point has fewer bytes and no more BPB.</p>\n"
        '<table cellpadding="4"><tr><th>point</th><th>BPB</th><th>bytes</th><th>front</th><th>fits</th></tr>\n'
        f"{rows}</table>\n</body></html>\n"
    )


def png(points: Sequence[Result], cap: int) -> bytes:
    """The same as a picture; PG004 where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        text = "a PNG needs matplotlib, which is not installed"
        hint = "pip install 'pgolf[plot]', or give a name that ends in .html"
        raise PgolfError("PG004", text, "", hint) from None
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    for number, (name, curve) in enumerate(curves(points).items()):
        colour = COLOURS[number % len(COLOURS)]
        sizes, scores = [one["bytes_total"] for one in curve], [one["val_bpb"] for one in curve]
        axes.plot(sizes, scores, "o-", color=colour, linewidth=1, markersize=4, label=name)
    best = front(points)
    sizes, scores = [one["bytes_total"] for one in best], [one["val_bpb"] for one in best]
    axes.plot(sizes, scores, "o", color="none", markeredgecolor="black", markersize=7, label="front")
    low, high = spread([point["bytes_total"] for point in points])
    if low <= cap <= high:
        axes.axvline(cap, color="#d62728", linewidth=1, label="cap")
    axes.set_xlabel("bytes of file and artifact")
    axes.set_ylabel("BPB")
    axes.legend(fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def write_plots(paths: Sequence[Path], points: Sequence[Result], cap: int) -> None:
    """Write every picture that is asked for.

    Raises:
        PgolfError: PG004 for an ending that is neither .png nor .html, or without matplotlib.
    """
    for path in paths:
        content = png(points, cap) if path.suffix == ".png" else page(points, cap).encode()
        write_atomically(path, content)


def check_plots(paths: Sequence[Path]) -> None:
    """Before a sweep takes its time: can its pictures be made?"""
    import importlib.util

    for path in paths:
        if path.suffix not in (".png", ".html"):
            raise PgolfError("PG004", f"--plot got {path}", "command line", "give a name that ends in .png or .html")
        if path.suffix == ".png" and importlib.util.find_spec("matplotlib") is None:
            hint = "pip install 'pgolf[plot]', or give a name that ends in .html"
            raise PgolfError("PG004", "a PNG needs matplotlib, which is not installed", str(path), hint)
