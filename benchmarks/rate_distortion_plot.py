"""The curves of results.md that are over bytes, as one drawing: `python benchmarks/rate_distortion_plot.py [OUT.svg]`.

Reads every table `| steps | bytes | gap, BPB | divergence |`. A row of several figures in a cell is several points; a row whose
label is figures alone goes on with the series above it. Each model has a drawing of its gap and one of its divergence.
"""

import html
import re
import sys
from pathlib import Path

from pgolf.requant.pareto import COLOURS, HEIGHT, WIDTH, curves, svg

HERE = Path(__file__).parent
HEADING = r"\| steps[^|]*\| bytes \| gap, BPB \| divergence \|"
TITLES = ("loop8192, 191 steps", "loop8192, 408 steps (overfitted)", "deep8192, 241 steps (one epoch)")
CAP = 16_000_000
LEGEND = 18


def figures(cell):
    """The numbers of a cell; none where it says more than numbers."""
    parts = [part.strip().replace(",", "") for part in cell.split(" / ")]
    return [float(part) for part in parts] if all(re.fullmatch(r"\d*\.?\d+", part) for part in parts) else []


def read_tables(text):
    """series -> [(bytes, gap, divergence)] of each table."""
    tables = []
    for block in re.split(HEADING, text)[1:]:
        found, series = {}, ""
        for line in block.strip().split("\n")[1:]:
            if not line.startswith("|"):
                break
            label, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            if not re.match(r"[\d.]", label):
                series = re.sub(r"(, (clip|price))?[ ,\d./]*$", "", label)
            columns = [figures(cell) for cell in cells]
            if len({len(column) for column in columns}) == 1:
                found.setdefault(series, []).extend(zip(*columns, strict=True))
        tables.append({name: points for name, points in found.items() if len(points) > 1 and " / " not in name})
    return tables


def drawing(table, column, title, left, top):
    """One panel with its title and legend."""
    points = [
        {"series": name, "settings": {}, "bytes_total": round(size), "val_bpb": values[column]}
        for name, found in table.items()
        for size, *values in found
    ]
    parts = [f'<text x="{left + 60}" y="{top + 14}" font-weight="bold">{html.escape(title)}</text>']
    inner = svg(points, CAP).replace("<svg ", f'<svg x="{left}" y="{top + 16}" width="{WIDTH}" height="{HEIGHT}" ', 1)
    parts.append(inner)
    for number, name in enumerate(curves(points)):
        colour, y = COLOURS[number % len(COLOURS)], top + HEIGHT + LEGEND * (number + 2)
        text = html.escape(name)
        parts.append(f'<text x="{left + 60}" y="{y}" style="fill:{colour}">{text}</text>')
    return "\n".join(parts)


def main(out):
    """Two columns, a row for each model."""
    tables = read_tables((HERE / "results.md").read_text(encoding="utf-8"))
    parts, top = [], 0
    for table, title in zip(tables, TITLES, strict=True):
        for column, what in enumerate(("gap to the float model, BPB", "divergence from it, nats per token")):
            parts.append(drawing(table, column, f"{title}: {what}", column * WIDTH, top))
        top += HEIGHT + LEGEND * (len(table) + 3)
        for name, points in table.items():
            print(
                f"{title} | {name}: "
                + ", ".join(f"{size / 1e6:.2f} M {gap:g} {apart:g}" for size, gap, apart in points)
            )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {top}">'
    parts.insert(0, '<rect width="100%" height="100%" fill="#fff"/>')
    Path(out).write_text("\n".join([head, *parts, "</svg>\n"]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else HERE.parent / "docs" / "rate_distortion.svg")
