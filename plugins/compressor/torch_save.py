"""Layout by `torch.save`: the encoded tensors as one zip-like stream.

Loading uses `weights_only`, which builds tensors and plain values and refuses everything else in a pickle.

Source: the baseline script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.streams import load_tensors, save_tensors

if TYPE_CHECKING:
    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="torch_save",
    summary="Serialises the encoded tensors with torch.save.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="compressor",
)


class TorchSave:
    """Stream layout: one stream with nothing around it."""

    def pack(self, encoded: dict[str, Parts], ledger: Ledger) -> bytes:
        """The bytes of `torch.save`."""
        data = save_tensors(encoded)
        ledger.note("torch_save", f"{len(encoded)} tensors in {len(data)} bytes")
        return data

    def unpack(self, data: bytes) -> dict[str, Parts]:
        """The encoded tensors, on the CPU."""
        return load_tensors(data)


@hookimpl
def stream_layout(settings: SettingsView) -> Component:
    """One stream."""
    return Component(TorchSave)
