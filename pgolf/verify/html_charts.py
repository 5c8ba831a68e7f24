"""Small charts as inline SVG. Every text is escaped; every number is formatted here."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH = 640
COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#475569", "#dc2626", "#0891b2")
Points = Sequence[tuple[float, float]]


def svg(height: int, title: str, parts: Iterable[str]) -> str:
    """One drawing with a title that screen readers say."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """One line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled box."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" fill="{colour}"/>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str = "#94a3b8") -> str:
    """A thin line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def bytes_bar(code: int, model: int, cap: int) -> str:
    """Code and model as one bar, with a mark at the cap."""
    total = code + model
    scale = (WIDTH - 20) / max(total, cap, 1)
    at = 10 + cap * scale
    over = total > cap
    words = f"code {code:,} + model {model:,} = {total:,} bytes; {abs(cap - total):,} {'over' if over else 'left'}"
    parts = [
        rect(10, 20, WIDTH - 20, 22, "#e2e8f0"),
        rect(10, 20, model * scale, 22, "#dc2626" if over else COLOURS[0]),
        rect(10 + model * scale, 20, max(code * scale, 1.5), 22, COLOURS[1]),
        line(at, 12, at, 50, "#0f172a"),
        text(at, 10, f"cap {cap:,}", "end"),
        text(10, 62, words),
    ]
    return svg(70, words, parts)


def seed_plot(seeds: Sequence[tuple[str, float]], claimed: float | None) -> str:
    """Scores of the seeds, their mean with one standard deviation, and the claim."""
    scores = [score for _, score in seeds]
    mean = statistics.fmean(scores)
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    edges = [*scores, mean - spread, mean + spread, *([claimed] if claimed is not None else [])]
    low, high = min(edges), max(edges)
    pad = (high - low) * 0.1 or max(abs(low) * 1e-3, 1e-6)
    low, high = low - pad, high + pad

    def at(value: float) -> float:
        return 150 + (value - low) / (high - low) * (WIDTH - 240)

    parts = []
    for row, (name, score) in enumerate(seeds):
        y = 24 + 20 * row
        parts += [text(8, y + 4, name[:20]), line(150, y, WIDTH - 90, y, "#e2e8f0")]
        parts += [
            f'<circle cx="{at(score):.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>',
            text(WIDTH - 84, y + 4, f"{score:.6g}"),
        ]
    y = 24 + 20 * len(seeds)
    parts += [text(8, y + 4, "mean, 1 std"), line(at(mean - spread), y, at(mean + spread), y, "#0f172a")]
    parts += [line(at(edge), y - 5, at(edge), y + 5, "#0f172a") for edge in (mean - spread, mean + spread)]
    parts += [f'<circle cx="{at(mean):.1f}" cy="{y}" r="4" fill="#0f172a"/>', text(WIDTH - 84, y + 4, f"{mean:.6g}")]
    if claimed is not None:
        parts.append(line(at(claimed), 12, at(claimed), y + 8, COLOURS[6]))
        parts.append(text(at(claimed), y + 22, f"claimed {claimed:.6g}", "middle"))
    return svg(y + 30, f"val_bpb of {len(seeds)} runs: mean {mean:.6g}, standard deviation {spread:.2g}", parts)


def curves(lines: Mapping[str, Points], title: str) -> str:
    """Loss over steps, one line a run. The first tenth may leave the picture at the top."""
    points = [point for one in lines.values() for point in one]
    right = max((x for x, _ in points), default=1.0) or 1.0
    late = [y for x, y in points if x >= right * 0.05] or [y for _, y in points]
    low, high = min(late, default=0.0), max(late, default=0.0)
    high = max(high, low + max(1e-6, abs(low) * 1e-6))
    height, left, bottom = 260, 60, 225

    def place(x: float, y: float) -> str:
        down = bottom - (min(y, high) - low) / (high - low) * (bottom - 20)
        return f"{left + x / right * (WIDTH - left - 20):.1f},{down:.1f}"

    parts = [line(left, 20, left, bottom), line(left, bottom, WIDTH - 20, bottom)]
    parts += [text(left - 6, 24, f"{high:.4g}", "end"), text(left - 6, bottom + 4, f"{low:.4g}", "end")]
    parts += [text(left, bottom + 16, "0"), text(WIDTH - 20, bottom + 16, f"step {right:,.0f}", "end")]
    for row, (name, one) in enumerate(lines.items()):
        colour = COLOURS[row % len(COLOURS)]
        path = " ".join(place(x, y) for x, y in one if x >= 0)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        parts += [rect(WIDTH - 170, 24 + 15 * row, 9, 9, colour), text(WIDTH - 156, 33 + 15 * row, name[:22])]
    return svg(height, title, parts)
