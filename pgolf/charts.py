"""Small charts as inline SVG for pages that stand alone. Every text is escaped; every number is formatted here.

Colours are the variables of `COLOUR_STYLE`, so that one drawing is legible on a light and on a dark page. A drawing has a width
in units of a pixel: `responsive` makes one for wide screens and one for phones, of which the page shows one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from itertools import chain

WIDE, NARROW = 640, 340
TICKS = 5
COLOURS = tuple(f"var(--c{number})" for number in range(8))
INK, GRID, BAD = "var(--ink)", "var(--grid)", "var(--bad)"
COLOUR_STYLE = """
:root{color-scheme:light dark;--page:#f8fafc;--card:#fff;--ink:#0f172a;--dim:#475569;--grid:#dbe2ea;--link:#1d4ed8;
--bad:#dc2626;--c0:#2563eb;--c1:#c2410c;--c2:#047857;--c3:#be185d;--c4:#7c3aed;--c5:#0e7490;--c6:#a16207;--c7:#475569}
@media(prefers-color-scheme:dark){:root{
--page:#0b1120;--card:#151e30;--ink:#e6ebf3;--dim:#a5b1c4;--grid:#334155;--link:#93c5fd;
--bad:#f87171;--c0:#60a5fa;--c1:#fb923c;--c2:#34d399;--c3:#f472b6;--c4:#a78bfa;--c5:#22d3ee;--c6:#facc15;--c7:#94a3b8}}
svg.chart{display:block;width:100%;height:auto}svg.chart text{font:12px system-ui,sans-serif;fill:var(--dim)}
svg.chart text.value{fill:var(--ink)}.narrow{display:none}
@media(max-width:40rem){.wide{display:none}.narrow{display:block}}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.4rem 0;padding:0;font-size:.85rem}
.legend li{overflow-wrap:anywhere}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.4em}
"""
"""What a page with charts has in its style sheet."""
Points = Sequence[tuple[float, float]]


def responsive(draw: Callable[[int], str]) -> str:
    """A drawing for wide screens and one for phones."""
    return f'<div class="wide">{draw(WIDE)}</div><div class="narrow">{draw(NARROW)}</div>'


def svg(width: int, height: float, title: str, parts: Iterable[str]) -> str:
    """One drawing with a title that screen readers say."""
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    """One line of text; of kind "value" where it is what the chart shows."""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled box."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" style="fill:{colour}"/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = GRID) -> str:
    """A thin line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" style="stroke:{colour}"/>'


def dot(x: float, y: float, colour: str) -> str:
    """A small disc."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" style="fill:{colour}"/>'


def bytes_bar(code: int, model: int, cap: int, width: int = WIDE) -> str:
    """Code and model as one bar, with a mark at the cap."""
    total = code + model
    scale = (width - 4) / max(total, cap, 1)
    at, over = 2 + cap * scale, total > cap
    sums = f"code {code:,} + model {model:,} = {total:,} bytes"
    rest = f"{abs(cap - total):,} bytes {'over' if over else 'left under'} the cap of {cap:,}"
    parts = [
        rect(2, 8, width - 4, 24, GRID),
        rect(2, 8, model * scale, 24, BAD if over else COLOURS[0]),
        rect(2 + model * scale, 8, max(code * scale, 2.0), 24, COLOURS[1]),
        line(at, 2, at, 38, INK),
        text(2, 54, sums, kind="value"),
        text(2, 72, rest),
    ]
    return svg(width, 78, f"{sums}; {rest}", parts)


def seed_plot(seeds: Sequence[tuple[str, float]], claimed: float | None, width: int = WIDE) -> str:
    """Scores of the seeds, their mean with one standard deviation, and the claim."""
    scores = [score for _, score in seeds]
    mean = statistics.fmean(scores)
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    edges = [*scores, mean - spread, mean + spread, *([claimed] if claimed is not None else [])]
    low, high = min(edges), max(edges)
    pad = (high - low) * 0.1 or max(abs(low) * 1e-3, 1e-6)
    low, high = low - pad, high + pad
    left, right = 96, width - 72

    def at(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    parts = []
    for row, (name, score) in enumerate(seeds):
        y = 18 + 24 * row
        parts += [text(2, y + 4, name[:14]), line(left, y, right, y)]
        parts += [dot(at(score), y, COLOURS[0]), text(width - 2, y + 4, f"{score:.6g}", "end", "value")]
    y = 18 + 24 * len(seeds)
    parts += [text(2, y + 4, "mean, 1 std"), line(at(mean - spread), y, at(mean + spread), y, INK)]
    parts += [line(at(edge), y - 5, at(edge), y + 5, INK) for edge in (mean - spread, mean + spread)]
    parts += [dot(at(mean), y, INK), text(width - 2, y + 4, f"{mean:.6g}", "end", "value")]
    if claimed is not None:
        parts.append(line(at(claimed), 6, at(claimed), y + 10, COLOURS[1]))
        side = "end" if at(claimed) > (left + right) / 2 else "start"
        parts.append(text(at(claimed), y + 24, f"claimed {claimed:.6g}", side))
    return svg(width, y + 32, f"val_bpb of {len(seeds)} runs: mean {mean:.6g}, standard deviation {spread:.2g}", parts)


def ticks(low: float, high: float, most: int = TICKS) -> list[float]:
    """Round numbers between two values, at most `most` + 1 and at least two."""
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(size * factor for factor in (1, 2, 5, 10) if (high - low) / (size * factor) <= most + 1e-9)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def curves(lines: Mapping[str, Points], title: str, width: int = WIDE, colours: Mapping[str, str] | None = None) -> str:
    """Values over steps, one line a run. The first twentieth may leave the picture at the top; `legend` names the lines."""
    points = [*chain.from_iterable(lines.values())]
    right = max((x for x, _ in points), default=1.0) or 1.0
    late = [y for x, y in points if x >= right * 0.05] or [y for _, y in points]
    low, high = min(late, default=0.0), max(late, default=0.0)
    high = max(high, low + max(1e-6, abs(low) * 1e-6))
    left, top, bottom = 48, 10, 200

    def across(x: float) -> float:
        return left + x / right * (width - left - 12)

    def down(y: float) -> float:
        return bottom - (min(y, high) - low) / (high - low) * (bottom - top)

    parts = []
    for value in ticks(low, high):
        parts += [line(left, down(value), width - 12, down(value))]
        parts += [text(left - 6, down(value) + 4, f"{value:.5g}", "end")]
    for value in ticks(0.0, right):
        parts.append(text(across(value), bottom + 18, f"{value:,.5g}" if value else "step 0", "middle"))
    parts.append(line(left, bottom, width - 12, bottom, INK))
    for name, one in lines.items():
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in one if x >= 0)
        colour = (colours or colours_of(lines))[name]
        parts.append(f'<polyline points="{path}" style="fill:none;stroke:{colour};stroke-width:1.8"/>')
    return svg(width, bottom + 26, title, parts)


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name; the ninth has the first again."""
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}


def legend(colours: Mapping[str, str]) -> str:
    """Which line is whose."""
    items = (f'<li><i style="background:{colour}"></i>{escape(name)}</li>' for name, colour in colours.items())
    return f'<ul class="legend">{"".join(items)}</ul>'
