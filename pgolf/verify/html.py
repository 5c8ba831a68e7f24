"""The report as one HTML page that needs nothing else: no script, no network, no file beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pgolf.charts import COLOUR_STYLE, Points, bytes_bar, colours_of, curves, legend, responsive, seed_plot
from pgolf.errors import printable
from pgolf.page import document, safe
from pgolf.verify.outputs import RANK, counts, ordered
from pgolf.verify.outputs_details import Details

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:var(--page);color:var(--ink)}
h1{font-size:1.4rem}h2{font-size:1.2rem;overflow-wrap:anywhere}h3{font-size:1rem;margin-bottom:.3rem}a{color:var(--link)}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--grid);padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
svg.chart{max-width:40rem}.id{white-space:nowrap}small{color:var(--dim)}summary{cursor:pointer}
"""
TAG_STYLE = """
.tag{font-weight:700;border-radius:.3rem;padding:.05rem .45rem;color:#fff;white-space:nowrap}
.FAIL,.fail{background:#b91c1c}.WARN{background:#9a5500}.SKIP{background:#56657a}.PASS,.pass{background:#15703a}
@media(max-width:40rem){.checks tr{display:block;border-bottom:1px solid var(--grid);padding:.4rem 0}
.checks td{display:inline;border:0;padding:.1rem .3rem}.checks td:last-child{display:block}}
"""


def page(reports: list[dict[str, Any]], found: list[Details | None]) -> str:
    """The whole page; `found` has the numbers for the charts of each report, None where there are none."""
    body = [f"<h1>pgolf verify</h1>{_table(reports) if len(reports) > 1 else ''}"]
    for number, (report, numbers) in enumerate(zip(reports, found, strict=True)):
        body.append(_section(number, report, numbers))
    return document("pgolf verify", COLOUR_STYLE + STYLE + TAG_STYLE, "".join(body))


def tag(status: str) -> str:
    """A verdict or a check's status."""
    return f'<span class="tag {safe(status)}">{safe(status.upper())}</span>'


def _table(reports: list[dict[str, Any]]) -> str:
    rows = []
    for number, report in enumerate(reports):
        seen = counts(report)
        cells = "".join(f"<td>{seen[status]}</td>" for status in RANK)
        link = f'<a href="#f{number}">{safe(report["folder"])}</a>'
        rows.append(f"<tr><td>{link}</td><td>{tag(report['verdict'])}</td>{cells}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("folder", "verdict", *RANK))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _section(number: int, report: dict[str, Any], numbers: Details | None) -> str:
    parts = [f'<section id="f{number}"><h2>{tag(report["verdict"])} {safe(report["folder"])}</h2>']
    if numbers is not None:
        if numbers.name or numbers.author:
            parts.append(f"<p>{safe(numbers.name)} <small>{safe(numbers.author)}</small></p>")
        parts += _charts(numbers)
    parts.append(checks(report))
    return "".join([*parts, "</section>"])


def _charts(numbers: Details) -> list[str]:
    """Those charts for which there are numbers."""
    parts = []
    if numbers.code_bytes is not None and numbers.model_bytes is not None:
        parts.append(f"<h3>Bytes</h3>{code_and_model(numbers)}")
    if numbers.seeds:
        parts.append(f"<h3>Score (bits per byte)</h3>{scores(numbers)}")
    for title, lines in (("Training loss", numbers.train), ("Validation loss", numbers.val)):
        if drawn := drawable(lines):
            parts.append(f"<h3>{title}</h3>{responsive(partial(curves, drawn, title))}{legend(colours_of(drawn))}")
    return parts


def code_and_model(numbers: Details) -> str:
    """Code and model against the cap; both are known."""
    return responsive(partial(bytes_bar, numbers.code_bytes or 0, numbers.model_bytes or 0, numbers.cap))


def scores(numbers: Details) -> str:
    """The score of each seed, of which there is one at least."""
    return responsive(partial(seed_plot, [(printable(name), score) for name, score in numbers.seeds], numbers.claimed))


def drawable(lines: Mapping[str, Points]) -> dict[str, Points]:
    """Those that have two points at least, by printable names."""
    return {printable(name): points for name, points in lines.items() if len(points) > 1}


def checks(report: dict[str, Any]) -> str:
    """Failures and warnings open, the rest folded away."""
    parts = []
    records = ordered(report)
    bad = [record for record in records if record["status"] in ("FAIL", "WARN")]
    if bad:
        parts.append(f"<h3>To look at</h3>{_rows(bad)}")
    for status, title in (("SKIP", "not judged"), ("PASS", "passed")):
        chosen = [record for record in records if record["status"] == status]
        if chosen:
            parts.append(f"<details><summary>{len(chosen)} {title}</summary>{_rows(chosen)}</details>")
    return "".join(parts)


def _rows(records: list[dict[str, Any]]) -> str:
    rows = [
        f'<tr><td>{tag(record["status"])}</td><td class="id">{safe(record["id"])}</td>'
        f"<td>{safe(record['message'])}<br/><small>{safe(record['rule'])}</small></td></tr>"
        for record in records
    ]
    return f'<table class="checks"><tbody>{"".join(rows)}</tbody></table>'
