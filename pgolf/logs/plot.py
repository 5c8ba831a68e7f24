"""Loss curves: inline SVG in an HTML page with nothing to load, or PNG through matplotlib."""

from __future__ import annotations

import html
import io

from pgolf import charts
from pgolf.errors import PgolfError
from pgolf.logs.table import Curve
from pgolf.page import document

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 960, 480, 60, 40, 16
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")
TICKS = 6
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;background:var(--page);color:var(--ink)}
svg.curves{display:block;width:100%;height:auto}
"""
DASHES = {"train": "", "val": ' stroke-dasharray="6 3"'}


def limits(curves: list[Curve]) -> tuple[float, float, float, float]:
    """(first step, last step, lowest loss, highest loss), without the first steps' peak where it hides the rest."""
    steps = [point[0] for curve in curves for point in curve.points]
    losses = sorted(point[1] for curve in curves for point in curve.points)
    high = losses[min(len(losses) - 1, int(0.98 * len(losses)))]
    low = losses[0]
    return min(steps), max(max(steps), min(steps) + 1.0), low, high if high > low else low + 1.0


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values."""
    return charts.ticks(low, high, TICKS)


def svg(curves: list[Curve]) -> str:
    """The drawing alone."""
    x0, x1, y0, y1 = limits(curves)

    def place(step: float, loss: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - TOP) * (step - x0) / (x1 - x0)
        return across, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (min(loss, y1) - y0) / (y1 - y0)

    parts = [
        f'<svg class="curves" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Curves">'
    ]
    parts.append(
        "<style>.curves text{font:12px sans-serif;fill:var(--dim)}.grid{stroke:var(--grid)}"
        ".curves path{fill:none;stroke-width:1.5}</style>"
    )
    for value in ticks(y0, y1):
        down = place(x0, value)[1]
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - TOP}" y1="{down:.1f}" y2="{down:.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{down + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in ticks(x0, x1):
        across = place(value, y0)[0]
        parts.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{value:g}</text>')
    colours = charts.colours_of(dict.fromkeys(curve.name for curve in curves))
    for curve in curves:
        points = " ".join(f"{across:.1f},{down:.1f}" for across, down in (place(*point) for point in curve.points))
        title = html.escape(f"{curve.name}: {curve.kind}")
        style = f'style="stroke:{colours[curve.name]}"{DASHES[curve.kind]}'
        parts.append(f'<path d="M {points}" {style}><title>{title}</title></path>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">step</text></svg>')
    return "\n".join(parts)


def page(curves: list[Curve]) -> str:
    """A page with the drawing and a legend; names of files are escaped."""
    colours = charts.colours_of(dict.fromkeys(curve.name for curve in curves))
    body = f"<h1>Loss curves</h1>{svg(curves)}{charts.legend(colours)}<p>Solid: training, dashed: validation.</p>"
    return document("Loss curves", charts.COLOUR_STYLE + STYLE, body)


def png(curves: list[Curve]) -> bytes:
    """The same as a picture; PG004 where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PgolfError(
            "PG004",
            "a PNG needs matplotlib, which is not installed",
            "",
            "pip install 'pgolf[plot]', or give a name that ends in .html",
        ) from None
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=150)
    axes = figure.add_subplot()
    names = list(dict.fromkeys(curve.name for curve in curves))
    for curve in curves:
        across, down = zip(*curve.points, strict=True)
        colour = COLOURS[names.index(curve.name) % len(COLOURS)]
        style = "-" if curve.kind == "train" else "--"
        axes.plot(across, down, style, color=colour, linewidth=1, label=f"{curve.name}: {curve.kind}")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_ylim(*limits(curves)[2:])
    axes.legend(fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
