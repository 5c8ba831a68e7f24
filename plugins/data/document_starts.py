"""Document starts: a mask that tells other plugins where a document begins.

    starts[b, t] = (ids[b, t] == BOS)

Reachable as `ctx.fields["starts"]`; gates that mix in the previous position use it to keep documents apart.

Source: the BOS fix of SmearGate, openai/parameter-golf#1851; the id is that of the published shards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="document_starts",
    summary="Marks the first token of every document for plugins that must not mix across documents.",
    source="openai/parameter-golf#1851",
    family="data",
    settings=(Setting("bos_id", 1, "token id that begins every document", minimum=0),),
)


def mark_document_starts(ids_BT: Tensor, ledger: Ledger | None = None, bos_id: int = 1) -> Tensor:
    """True (B,T) where a document begins."""
    if ledger is not None:
        ledger.count("document_starts", "batches")
    return ids_BT == bos_id


@hookimpl
def batch_fields(settings: SettingsView) -> dict[str, Component]:
    """One field, "starts"."""
    return {"starts": Component(mark_document_starts, bos_id=settings.bos_id)}
