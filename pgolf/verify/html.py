"""The report as one HTML page that needs nothing else: no script, no network, no file beside it."""

from __future__ import annotations

from html import escape
from typing import Any

from pgolf.verify.folder import printable
from pgolf.verify.html_charts import bytes_bar, curves, seed_plot
from pgolf.verify.outputs import RANK, counts, ordered
from pgolf.verify.outputs_details import Details

MESSAGE = 2000
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root{color-scheme:light dark;--line:#8884}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.2rem;overflow-wrap:anywhere}h3{font-size:1rem;margin-bottom:.3rem}
table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
svg{width:100%;max-width:40rem;height:auto;background:#fff;border:1px solid var(--line)}
svg text{font:11px system-ui,sans-serif;fill:#334155}
.tag{font-weight:700;border-radius:.3rem;padding:0 .4rem;color:#fff;white-space:nowrap}
.FAIL,.fail{background:#b91c1c}.WARN{background:#b45309}.SKIP{background:#64748b}.PASS,.pass{background:#15803d}
.id{white-space:nowrap}small{opacity:.75}summary{cursor:pointer}
"""


def page(reports: list[dict[str, Any]], found: list[Details | None]) -> str:
    """The whole page; `found` has the numbers for the charts of each report, None where there are none."""
    body = [f"<h1>pgolf verify</h1>{_table(reports) if len(reports) > 1 else ''}"]
    for number, (report, numbers) in enumerate(zip(reports, found, strict=True)):
        body.append(_section(number, report, numbers))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}"/>'
        '<meta name="viewport" content="width=device-width,initial-scale=1"/><meta name="referrer" content="no-referrer"/>'
        f"<title>pgolf verify</title><style>{STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def safe(words: object, most: int = MESSAGE) -> str:
    """Text for HTML: control characters as escapes, markup as text."""
    return escape(printable(str(words)[:most]))


def _tag(status: str) -> str:
    return f'<span class="tag {safe(status)}">{safe(status.upper())}</span>'


def _table(reports: list[dict[str, Any]]) -> str:
    rows = []
    for number, report in enumerate(reports):
        seen = counts(report)
        cells = "".join(f"<td>{seen[status]}</td>" for status in RANK)
        link = f'<a href="#f{number}">{safe(report["folder"])}</a>'
        rows.append(f"<tr><td>{link}</td><td>{_tag(report['verdict'])}</td>{cells}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("folder", "verdict", *RANK))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _section(number: int, report: dict[str, Any], numbers: Details | None) -> str:
    parts = [f'<section id="f{number}"><h2>{_tag(report["verdict"])} {safe(report["folder"])}</h2>']
    if numbers is not None:
        if numbers.name or numbers.author:
            parts.append(f"<p>{safe(numbers.name)} <small>{safe(numbers.author)}</small></p>")
        parts += _charts(numbers)
    parts.append(_checks(report))
    return "".join([*parts, "</section>"])


def _charts(numbers: Details) -> list[str]:
    """Those charts for which there are numbers."""
    parts = []
    if numbers.code_bytes is not None and numbers.model_bytes is not None:
        parts.append(f"<h3>Bytes</h3>{bytes_bar(numbers.code_bytes, numbers.model_bytes, numbers.cap)}")
    if numbers.seeds:
        parts.append(f"<h3>Score (bits per byte)</h3>{seed_plot(_named(numbers.seeds), numbers.claimed)}")
    for title, lines in (("Training loss", numbers.train), ("Validation loss", numbers.val)):
        drawn = {printable(name): points for name, points in lines.items() if len(points) > 1}
        if drawn:
            parts.append(f"<h3>{title}</h3>{curves(drawn, title)}")
    return parts


def _named(seeds: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(printable(name), score) for name, score in seeds]


def _checks(report: dict[str, Any]) -> str:
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
        f'<tr><td>{_tag(record["status"])}</td><td class="id">{safe(record["id"])}</td>'
        f"<td>{safe(record['message'])}<br/><small>{safe(record['rule'])}</small></td></tr>"
        for record in records
    ]
    return f"<table><tbody>{''.join(rows)}</tbody></table>"
