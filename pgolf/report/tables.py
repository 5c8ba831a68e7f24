"""Tables of a report. On a phone each row is a card of its own: cells carry the name of their column."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pgolf.page import safe

if TYPE_CHECKING:
    from pgolf.ablate.ablate import Ablation

RESULTS = {
    "val_bpb": ("BPB", "{:.5f}"),
    "val_loss": ("loss", "{:.5f}"),
    "artifact_bytes": ("bytes", "{:,.0f}"),
    "steps": ("steps", "{:,.0f}"),
    "step_avg_ms": ("ms a step", "{:,.1f}"),
    "train_time_s": ("train s", "{:,.1f}"),
    "eval_time_s": ("eval s", "{:,.1f}"),
}
ABLATED = ("variant", "seeds", "BPB", "effect", "+-", "p", "bytes", "ms a step")


def card_table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], caption: str = "") -> str:
    """Rows of HTML, the first cell of each its name; columns in `right` are numbers."""
    kinds = [' class="n"' if head in right else "" for head in heads]
    row = "".join(f'<th scope="col"{kind}>{safe(head)}</th>' for head, kind in zip(heads, kinds, strict=True))
    body = []
    for first, *rest in rows:
        cells = zip(heads[1:], kinds[1:], rest, strict=True)
        others = "".join(f'<td{kind} data-label="{safe(head)}">{cell}</td>' for head, kind, cell in cells)
        body.append(f'<tr><th scope="row">{first}</th>{others}</tr>')
    words = f"<caption>{caption}</caption>" if caption else ""
    made = f'<table class="stack">{words}<thead><tr>{row}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    return f'<div class="scroll" role="region" tabindex="0" aria-label="Table">{made}</div>'


def results_table(results: Mapping[str, Mapping[str, float | None]]) -> str:
    """A row a seed, and their mean and standard deviation; "-" is not known."""
    names = list(RESULTS)
    rows = [(safe(run), *(written(name, row.get(name)) for name in names)) for run, row in results.items()]
    if len(results) > 1:
        for label, of in (("mean", statistics.fmean), ("std", statistics.stdev)):
            known = {name: [row[name] for row in results.values() if row.get(name) is not None] for name in names}
            cells = [
                written(name, of([float(value or 0.0) for value in values])) if len(values) == len(results) else "-"
                for name, values in known.items()
            ]
            rows.append((label, *cells))
    heads = ("run", *(head for head, _ in RESULTS.values()))
    return card_table(heads, rows, heads[1:])


def written(name: str, value: float | None) -> str:
    """A figure of a run."""
    return "-" if value is None else RESULTS[name][1].format(value)


def ablation_table(found: Ablation) -> str:
    """What each variant is worth against the base."""
    rows = []
    for one in found.outcomes:
        score = f"{statistics.fmean(run.val_bpb for run in one.runs):.4f}" if one.runs else "-"
        cells = ["-"] * 5
        if (effect := one.effect) is not None:
            known = [f"{effect.error:.4f}", f"{effect.p:.3g}"] if math.isfinite(effect.error) else ["-", "-"]
            cells = [f"{effect.bpb:+.4f}", *known, f"{effect.bytes:+,.0f}", f"{1000 * effect.step_seconds:+.2f}"]
        problem = f" <small>{safe(one.problem)}</small>" if one.problem else ""
        rows.append((safe(one.name) + problem, str(len(one.runs)), score, *cells))
    noise = f"{found.noise:.4f}" if math.isfinite(found.noise) else "not known, one seed only"
    words = (
        f"Effect: BPB of the variant less the base's, below 0 where the variant is better. Spread of the base: {noise}."
    )
    return card_table(ABLATED, rows, ABLATED[1:], words)
