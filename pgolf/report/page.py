"""The page of `pgolf report`: a table of all folders, then each of them side by side."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from pgolf.byte_report import TREEMAP_STYLE, Item, table, treemap
from pgolf.charts import COLOUR_STYLE, COLOURS, Points, colours_of, curves, legend, responsive
from pgolf.compare.scores import compare_scores
from pgolf.errors import printable
from pgolf.page import document, safe
from pgolf.plan.drawing import draw
from pgolf.report.material import Material
from pgolf.report.style import STYLE
from pgolf.report.tables import ablation_table, card_table, results_table
from pgolf.verify.html import TAG_STYLE, checks, code_and_model, drawable, scores, tag

if TYPE_CHECKING:
    from pgolf.verify.outputs_details import Details

EXPLAINED = "Bytes that each module adds to the compressed program; modules share phrases, so the sum is not the file."
SHARED = "The artifact's bytes, shared out by the entropy of each part: an estimate."


def page(materials: Sequence[Material]) -> str:
    """The whole page."""
    one = len(materials) == 1
    submissions = [material for material in materials if material.report is not None]
    title = "pgolf report" + (f": {materials[0].name}" if one else "")
    names = ", ".join(safe(material.name) for material in materials)
    head = f"<header><h1>pgolf report</h1><p>{names}</p></header>"
    together = ""
    if len(submissions) > 1:
        together = _card("All folders", overview(submissions) + overlay(submissions), "card all")
    columns = "".join(map(section, materials))
    body = f'{head}<main>{together}<div class="folders{" one" * one}">{columns}</div></main>'
    return document(title, COLOUR_STYLE + STYLE + TAG_STYLE + TREEMAP_STYLE, body)


def overview(materials: Sequence[Material]) -> str:
    """A row a folder; differences are against the first one that has scores."""
    scored = [by_seed(material.numbers) for material in materials]
    base = next((one for one in scored if one), {})
    rows = []
    for material, own in zip(materials, scored, strict=True):
        numbers, total = material.numbers, total_bytes(material.numbers)
        mean = f"{statistics.fmean(own.values()):.5f}" if own else "-"
        spread = f"{statistics.stdev(own.values()):.5f}" if len(own) > 1 else "-"
        change, p = "-", "-"
        if own and own is not base:
            found = compare_scores(base, own)
            change = "-" if found.difference is None else f"{found.difference:+.5f}"
            p = "-" if found.p is None else f"{found.p:.3g}"
        verdict = tag(material.report["verdict"]) if material.report else "-"
        sizes = ("-", "-") if total is None else (f"{total:,}", f"{numbers.cap - total:,}")
        link = f'<a href="#{anchor(material)}">{safe(material.name)}</a>'
        rows.append((link, verdict, str(len(own)), mean, spread, change, p, *sizes))
    heads = ("folder", "verdict", "seeds", "BPB", "std", "against the first", "p", "bytes", "left")
    return card_table(heads, rows, heads[2:])


def by_seed(numbers: Details) -> dict[int, float]:
    """Seed, or a number below 0 where a log has none, -> bits per byte."""
    found: dict[int, float] = {}
    for row in numbers.results.values():
        seed, score = row.get("seed"), row.get("val_bpb")
        if score is not None:
            found[-1 - len(found) if seed is None else int(seed)] = score
    return found


def total_bytes(numbers: Details) -> int | None:
    """Of file and artifact."""
    if numbers.code_bytes is None or numbers.model_bytes is None:
        return None
    return numbers.code_bytes + numbers.model_bytes


def overlay(materials: Sequence[Material]) -> str:
    """Every run of every folder in one chart, a colour a folder."""
    parts = []
    for title, field in (("Training loss", "train"), ("Validation, bits per byte", "bpb")):
        lines: dict[str, Points] = {}
        colours: dict[str, str] = {}
        for number, material in enumerate(materials):
            for name, points in drawable(getattr(material.numbers, field)).items():
                lines[f"{material.name}: {name}"] = points
                colours[f"{material.name}: {name}"] = COLOURS[number % len(COLOURS)]
        if lines:
            parts.append(f"<h3>{title}</h3>{responsive(partial(curves, lines, title, colours=colours))}")
    shown = legend(colours_of([material.name for material in materials])) if parts else ""
    return f'<div class="folders">{"".join(f"<div>{part}</div>" for part in parts)}</div>{shown}'


def anchor(material: Material) -> str:
    """What links call its section."""
    return "f" + hashlib.sha256(str(material.folder).encode(errors="surrogateescape")).hexdigest()[:12]


def section(material: Material) -> str:
    """One folder: a column of cards."""
    verdict = tag(material.report["verdict"]) if material.report else ""
    numbers = material.numbers
    cards = [_card(f"{verdict} {safe(material.name)}", _facts(material), "card whole", "h2")]
    if numbers.results:
        cards.append(_card("Score, bits per byte", scores(numbers)))
    if total_bytes(numbers) is not None:
        cards.append(_card("Bytes against the cap", code_and_model(numbers)))
    if numbers.results:
        cards.append(_card("Results", results_table(numbers.results), "card whole"))
    for title, lines in _curves(numbers):
        cards.append(_card(title, responsive(partial(curves, lines, title)) + legend(colours_of(lines))))
    for title, items, words, columns in _maps(material):
        cards.append(_card(title, _map(items, words, columns)))
    if material.plan is not None:
        drawing = draw(material.plan)
        region = f'<div class="scroll" role="region" tabindex="0" aria-label="Plan of the model">{drawing}</div>'
        cards.append(_card("Plan of the model", region, "card whole"))
    for name, found in material.ablations.items():
        cards.append(_card(f"Ablations <small>{safe(name)}</small>", ablation_table(found), "card whole"))
    if material.report is not None:
        cards.append(_card("What verify says", checks(material.report), "card whole"))
    return f'<section class="folder" id="{anchor(material)}">{"".join(cards)}</section>'


def _card(title: str, body: str, kind: str = "card", level: str = "h3") -> str:
    return f'<div class="{kind}"><{level}>{title}</{level}>{body}</div>'


def _facts(material: Material) -> str:
    """Who made it, and what is not known."""
    numbers = material.numbers
    parts = [f"<p>{safe(numbers.name)} <small>{safe(numbers.author)}</small></p>"] * bool(
        numbers.name or numbers.author
    )
    if material.unknown:
        items = "".join(f"<li>{safe(line)}</li>" for line in material.unknown)
        parts.append(f'<p class="dim">Not known:</p><ul class="plain dim">{items}</ul>')
    return "".join(parts)


def _curves(numbers: Details) -> list[tuple[str, Mapping[str, Points]]]:
    """Those with two points at least."""
    titles = {"Training loss": numbers.train, "Validation loss": numbers.val, "Validation, bits per byte": numbers.bpb}
    return [(title, lines) for title, found in titles.items() if (lines := drawable(found))]


def _maps(material: Material) -> list[tuple[str, list[Item], str, tuple[str, str]]]:
    name = f"Bytes of {safe(material.artifact_name)}"
    maps: list[tuple[str, list[Item], str, tuple[str, str]]] = [
        ("Bytes of the code", material.code, EXPLAINED, ("plugin", "module")),
        (name, material.artifact, SHARED, ("tensors", "part")),
    ]
    return [one for one in maps if one[1]]


def _map(items: list[Item], words: str, columns: tuple[str, str]) -> str:
    """A treemap for each width, and its numbers folded away."""
    shown = [Item(printable(one.group), printable(one.name), one.size, label=printable(one.label)) for one in items]
    wide, narrow = treemap(shown, 640, 420), treemap(shown, 340, 460)
    drawn = f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
    rows = f'<div class="scroll" role="region" tabindex="0" aria-label="Numbers">{table(shown, words, columns)}</div>'
    return f"{drawn}<details><summary>Numbers</summary>{rows}</details>"


def as_record(material: Material) -> dict[str, Any]:
    """For `--json`."""
    numbers = material.numbers
    own = by_seed(numbers)
    return {
        "folder": str(material.folder),
        "verdict": material.report["verdict"] if material.report else None,
        "val_bpb": statistics.fmean(own.values()) if own else None,
        "seeds": len(own),
        "bytes_total": total_bytes(numbers),
        "cap": numbers.cap or None,
        "plugins": sorted({item.group for item in material.code}),
        "ablations": {name: found.as_record() for name, found in material.ablations.items()},
        "unknown": material.unknown,
    }
