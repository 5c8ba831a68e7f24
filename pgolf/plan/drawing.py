"""A plan as an SVG: a row for each set of phases, a box for each step, arcs for skips, lines for lanes."""

from __future__ import annotations

from html import escape
from itertools import chain

from pgolf.plan.listing import heading
from pgolf.plan.trace import Plan, Variant

PITCH, BOX, ARC, LANE = 56, 40, 90, 12
MARGIN, TITLE = 20, 26
STYLE = (
    ".plan{color-scheme:light dark;background:#fff}"
    ".plan text{font:12px sans-serif;fill:#222}.plan .title{font-weight:bold}"
    ".plan .encoder{fill:#dbe9f6}.plan .decoder{fill:#fde3c8}.plan .inside{fill:#222}"
    ".plan rect{stroke:#555}.plan .again{stroke-dasharray:4 3;stroke-width:2}.plan path{fill:none;stroke:#3b7a57}"
    ".plan .lane{stroke:#888;stroke-width:3}.plan .number{font-size:9px;fill:#444}"
    "@media(prefers-color-scheme:dark){.plan{background:#151e30}.plan text{fill:#e6ebf3}"
    ".plan .inside,.plan .number{fill:#111}.plan .encoder{fill:#8fb4d9}.plan .decoder{fill:#e8b583}"
    ".plan path{stroke:#6fcf97}}"
)
"""Only of drawings of plans: a page may hold one."""


def draw(plan: Plan) -> str:
    """The whole document."""
    steps = chain.from_iterable(variant.steps for variant in plan.variants)
    lanes = max(step.lanes[1] for step in steps)
    height = TITLE + ARC + BOX + (lanes + 2) * LANE
    width = max(len(variant.steps) for variant in plan.variants) * PITCH + 2 * MARGIN
    width = max(width, 640)
    rows = [
        f'<g transform="translate({MARGIN},{MARGIN + place * height})">{draw_variant(variant)}</g>'
        for place, variant in enumerate(plan.variants)
    ]
    total = 2 * MARGIN + len(rows) * height
    return (
        f'<svg class="plan" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}">'
        f"<title>{escape(plan.name)}</title><style>{STYLE}</style>" + "\n".join(rows) + "</svg>\n"
    )


def draw_variant(variant: Variant) -> str:
    """One row: title, arcs of skips, boxes, lanes."""
    top = TITLE + ARC
    parts = [f'<text class="title" y="12">{escape(heading(variant))}</text>']
    for step in variant.steps:
        left = step.position * PITCH
        kind = ("decoder" if step.decoder else "encoder") + " again" * (step.time > 1)
        hint = f"step {step.position}, layer {step.layer}, time {step.time}: {', '.join(step.reads)}"
        parts.append(f'<rect class="{kind}" x="{left}" y="{top}" width="{BOX}" height="{BOX}" rx="5">')
        parts.append(f"<title>{escape(hint)}</title></rect>")
        parts.append(
            f'<text class="inside" x="{left + BOX / 2}" y="{top + 24}" text-anchor="middle">{step.layer}</text>'
        )
        parts.append(f'<text class="number" x="{left + 2}" y="{top + BOX - 3}">{step.position}</text>')
        for lane in range(step.lanes[1]):
            y = top + BOX + (lane + 1) * LANE
            parts.append(f'<line class="lane" x1="{left}" y1="{y}" x2="{left + PITCH}" y2="{y}"/>')
        if step.skip is not None:
            start, end = (position * PITCH + BOX / 2 for position in (step.skip, step.position))
            high = top - min(ARC, 12 + (end - start) / 6)
            parts.append(f'<path d="M{start} {top}C{start} {high} {end} {high} {end} {top}"/>')
    return "".join(parts)
