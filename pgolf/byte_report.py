"""Where the bytes of a built file are, as one web page: a treemap drawn here, and a table with the same numbers.

The page is one file without scripts, and takes nothing from the network.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from pgolf.charts import COLOUR_STYLE
from pgolf.page import document

WIDTH, HEIGHT = 1200.0, 680.0
HEADER = 18.0
"""Height of a plugin's caption above its modules."""
LETTER = 6.6
"""Width of a letter of 11 pixels, on the safe side."""
HUES = 12


@dataclass(frozen=True)
class Item:
    """One box: a module under the plugin it belongs to, with its bytes and the difference to another build, if any."""

    group: str
    name: str
    size: int
    change: int | None = None
    label: str = ""
    """What stands in the box, if not the last word of the name."""


@dataclass(frozen=True)
class Box:
    """A rectangle of the treemap."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Its area."""
        return self.width * self.height


def squarify(sizes: Sequence[float], box: Box) -> list[Box]:
    """Boxes with areas proportional to `sizes` (positive, largest first) that fill `box` and are close to squares.

    Rows are laid along the shorter side; a row is closed when one more box would make its worst box longer (Bruls,
    Huizing and van Wijk 2000).
    """
    found: list[Box] = []
    rest, scale = list(sizes), box.area / sum(sizes) if sizes else 0.0
    while rest:
        side = min(box.width, box.height)
        count = 1
        while count < len(rest) and _worst(rest[: count + 1], side, scale) <= _worst(rest[:count], side, scale):
            count += 1
        row, rest = rest[:count], rest[count:]
        thick = sum(row) * scale / side if side else 0.0
        at = 0.0
        for size in row:
            length = size * scale / thick if thick else 0.0
            if box.width >= box.height:
                found.append(Box(box.x, box.y + at, thick, length))
            else:
                found.append(Box(box.x + at, box.y, length, thick))
            at += length
        if box.width >= box.height:
            box = Box(box.x + thick, box.y, max(box.width - thick, 0.0), box.height)
        else:
            box = Box(box.x, box.y + thick, box.width, max(box.height - thick, 0.0))
    return found


def _worst(row: Sequence[float], side: float, scale: float) -> float:
    """The longest side ratio of a row's boxes."""
    total = sum(row) * scale
    if not total or not side:
        return float("inf")
    return max(max(side**2 * size * scale / total**2, total**2 / (side**2 * size * scale)) for size in row)


def treemap(items: Sequence[Item], width: float = WIDTH, height: float = HEIGHT) -> str:
    """An SVG of plugins, each with its modules. What weighs nothing or less has no box."""
    groups: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: (-item.size, item.group, item.name)):
        if item.size > 0:
            groups.setdefault(item.group, []).append(item)
    order = sorted(groups, key=lambda name: (-sum(item.size for item in groups[name]), name))
    sums = [float(sum(item.size for item in groups[name])) for name in order]
    parts = []
    for number, (name, box) in enumerate(zip(order, squarify(sums, Box(0, 0, width, height)), strict=True)):
        hue = (number * 360 // HUES * 5) % 360
        inner = Box(box.x + 1, box.y + HEADER, max(box.width - 2, 1), max(box.height - HEADER - 1, 1))
        parts.append(_rectangle(box, f"hsl({hue} 45% 28%)", f"{name}: {sums[number]:,.0f} bytes", name, "#fff"))
        members = groups[name]
        for item, place in zip(members, squarify([float(item.size) for item in members], inner), strict=True):
            label = item.label or item.name.rpartition(".")[2]
            parts.append(_rectangle(place, f"hsl({hue} 60% 84%)", f"{item.name}: {item.size:,} bytes", label, "#111"))
    body = "\n".join(parts)
    return (
        f'<svg class="treemap" viewBox="0 0 {width:.0f} {height:.0f}" role="img" xmlns="http://www.w3.org/2000/svg" '
        f'aria-label="Treemap; the table has the same numbers">\n{body}\n</svg>'
    )


def _rectangle(box: Box, fill: str, tip: str, label: str, ink: str) -> str:
    """A box with a tooltip, and a label cut to what fits."""
    letters = int((box.width - 8) / LETTER)
    shown = label if len(label) <= letters else label[: letters - 1] + "\N{HORIZONTAL ELLIPSIS}" if letters > 3 else ""
    text = ""
    if shown and box.height >= 14:
        place = f'x="{box.x + 4:.1f}" y="{box.y + 13:.1f}"'
        text = f'<text {place} fill="{ink}">{html.escape(shown)}</text>'
    sides = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<g><title>{html.escape(tip)}</title><rect {sides} fill="{fill}" stroke="#fff"/>{text}</g>'


TREEMAP_STYLE = "svg.treemap{display:block;width:100%;height:auto;font:11px ui-monospace,monospace}"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1200px; padding: 0 1em }
body { color: var(--ink); background: var(--page) }
table { border-collapse: collapse; margin-top: 1.5em }
caption { text-align: left; font-weight: bold; padding-bottom: .4em }
th, td { padding: .15em 1em .15em 0; text-align: left; border-bottom: 1px solid var(--grid); overflow-wrap: anywhere }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
"""


def page(title: str, facts: Sequence[tuple[str, str]], items: Sequence[Item]) -> str:
    """The whole page."""
    facts_text = "<br/>\n".join(f"{html.escape(key)}: {html.escape(value)}" for key, value in facts)
    caption = "Compressed bytes that each module adds to the program (an estimate)"
    body = (
        f"<h1>{html.escape(title)}</h1>\n<p>{facts_text}</p>\n{treemap(items)}\n"
        f"{table(items, caption, ('plugin', 'module'))}"
    )
    return document(title, COLOUR_STYLE + TREEMAP_STYLE + STYLE, body)


def table(items: Sequence[Item], caption: str, columns: tuple[str, str]) -> str:
    """The numbers of a treemap, the largest first; `columns` are what groups and items are."""
    compared = any(item.change is not None for item in items)
    heads = [*columns, "bytes", *(["change"] if compared else [])]
    row = "".join(f'<th scope="col"{_numeric(head)}>{head}</th>' for head in heads)
    rows = "\n".join(_row(item, compared) for item in sorted(items, key=lambda item: (-item.size, item.name)))
    return f"<table>\n<caption>{caption}</caption>\n<thead><tr>{row}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _numeric(head: str) -> str:
    return ' class="n"' if head in ("bytes", "change") else ""


def _row(item: Item, compared: bool) -> str:
    change = "" if item.change is None else f"{item.change:+,}"
    last = f'<td class="n">{change}</td>' if compared else ""
    cells = f'<td>{html.escape(item.group)}</td><th scope="row">{html.escape(item.name)}</th>'
    return f'<tr>{cells}<td class="n">{item.size:,}</td>{last}</tr>'
