"""SentencePiece byte counter: UTF-8 bytes of each target, by table.

    bytes(y | x) = size[y] + (lead[y] and not boundary[x])

size: UTF-8 length of the piece without its leading word mark U+2581 (a byte piece: 1; control, unknown, unused: 0);
lead: the piece began with the word mark, one space; boundary: control, unknown, unused or past the model's vocabulary.
The sum over a document is its UTF-8 length wherever SentencePiece's normaliser leaves the text as it is.

Source: openai/parameter-golf, train_gpt.py at the repository root; the check for a lone word mark: issue #897.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.byte_count import byte_tables, load_tokenizer

if TYPE_CHECKING:
    from torch import Tensor, device

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sentencepiece_bytes",
    summary="Counts the UTF-8 bytes of every target with three tables built from the SentencePiece model.",
    source="openai/parameter-golf, train_gpt.py (baseline); issue #897",
    family="data",
)


class SentencePieceBytes:
    """Byte counts by table lookup on the device."""

    def open(self, tokenizer_path: str, data_path: str, vocab_size: int, device: device, ledger: Ledger) -> None:
        """Build the tables; ValueError for a vocabulary that is too large, uncounted spaces, or transformed text."""
        if any(Path(data_path).glob("*_bytes_*")):
            raise ValueError(f"{data_path}: it has byte side files, build with the plugin that reads them")
        tables = byte_tables(load_tokenizer(tokenizer_path, vocab_size), vocab_size)
        self.size, self.lead, self.boundary = tables.to(device)
        self.ledger = ledger

    def count(self, x_BT: Tensor, y_BT: Tensor, positions_BT: Tensor) -> Tensor:
        """UTF-8 bytes of each target, int64 (B,T)."""
        self.ledger.count("sentencepiece_bytes", "targets", y_BT.numel())
        counts: Tensor = self.size[y_BT] + (self.lead[y_BT] & ~self.boundary[x_BT])
        return counts


@hookimpl
def byte_counter(settings: SettingsView) -> Component:
    """The baseline's counter."""
    return Component(SentencePieceBytes)
