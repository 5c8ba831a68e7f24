"""Every document scored on its own: what a target is given begins with its own document, at most T tokens before it.

    first window of a document: its targets 0 .. T - 1;   later ones end `isolated_stride` further and score what is new

A document of at most T targets is one row. Rows are gathered by length, so that little of a batch is padding, and run in a
few shapes (rows, width) of about as many tokens each, which are compiled before the time begins.

Source: openai/parameter-golf record 2026-03-19_LoRA_TTT (its ablation), PR #1530.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.documents import find_documents, row_widths
from pgolf.runtime.evaluate import Span, span_rows

if TYPE_CHECKING:
    from pgolf.runtime.documents import Document
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="isolated_eval",
    summary="Documents scored on their own, long ones in overlapping windows.",
    source="openai/parameter-golf#1530",
    family="eval",
    effect="-0.011 BPB at length 1024 against windows side by side",
    requires=("document_starts",),
    settings=(
        Setting("isolated_stride", 64, "targets that a later window of a long document scores", minimum=1),
        Setting("isolated_widths", 4, "row lengths compiled: the window, half of it, and so on", minimum=1),
    ),
)


class IsolatedEval:
    """`bos_id` begins a document; `stride` and `widths` are the settings."""

    name = "isolated_eval"
    label = "isolated"

    def __init__(self, bos_id: int, stride: int, widths: int):
        self.bos_id = bos_id
        self.stride = stride
        self.widths = widths

    def __call__(self, session: Session, tally: Tally) -> None:
        """Batches go to whichever rank asks next; no score depends on which."""
        length, documents = session.seq_len, find_documents(session.tokens, self.bos_id)
        widths = row_widths(length, self.widths)
        rows = {width: session.rows * length // width for width in widths}
        tally.rehearse([(rows[width], width) for width in widths])
        queues: dict[int, list[Span]] = {width: [] for width in widths}
        for document in documents:
            for span in self.spans(document, length):
                queues[min(width for width in widths if width >= span.end - span.start)].append(span)
        work = []
        for width in reversed(widths):
            count = rows[width]
            work += [(width, queues[width][at : at + count]) for at in range(0, len(queues[width]), count)]
        for number in session.share_work(len(work)):
            width, spans = work[number]
            tally.score(*span_rows(spans, rows[width], width))
            session.ledger.count("isolated_eval", "windows", len(spans))
        session.log(f"isolated_eval: {len(documents)} documents in {len(work)} batches")

    def spans(self, document: Document, length: int) -> list[Span]:
        """Windows of one document, each as long as the document allows; every target once."""
        start, targets = document.start, document.length - 1
        done = min(length, targets)
        found = [Span(start, start + done, 0)]
        while done < targets:
            end = min(done + min(self.stride, length), targets)
            found.append(Span(start + end - length, start + end, length - (end - done)))
            done = end
        return found


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """Documents in place of windows."""
    return Component(
        IsolatedEval, bos_id=settings.bos_id, stride=settings.isolated_stride, widths=settings.isolated_widths
    )
