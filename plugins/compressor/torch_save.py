"""Layout by `torch.save`: the encoded tensors as one zip-like stream.

Loading uses `weights_only`, which builds tensors and plain values and refuses everything else in a pickle.

Source: the baseline script.
"""

import io

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="torch_save",
    summary="Serialises the encoded tensors with torch.save.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="compressor",
)


class TorchSave:
    """Stream layout: `pack(encoded, ledger)` and `unpack(data)`."""

    def pack(self, encoded, ledger):
        """The bytes of `torch.save`."""
        buffer = io.BytesIO()
        torch.save(encoded, buffer)
        data = buffer.getvalue()
        ledger.note("torch_save", f"{len(encoded)} tensors in {len(data)} bytes")
        return data

    def unpack(self, data):
        """The encoded tensors, on the CPU."""
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


@hookimpl
def stream_layout(settings):
    """One stream."""
    return Component(TorchSave)
