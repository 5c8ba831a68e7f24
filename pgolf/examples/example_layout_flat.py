"""One flat dict NAME|PART -> tensor, as torch.save writes it."""

import io

import torch

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_layout_flat",
    summary="Flat dict of parts.",
    source="pgolf's documentation",
    family="compressor",
)


class FlatDict:
    """Tensors, strings, numbers and bytes only: no class could be found again when the artifact is read."""

    def pack(self, encoded, ledger):
        """canonical name -> part name -> tensor."""
        flat = {f"{name}|{part}": tensor for name, parts in encoded.items() for part, tensor in parts.items()}
        buffer = io.BytesIO()
        torch.save(flat, buffer)
        ledger.note("example_layout_flat", f"{len(flat)} parts")
        return buffer.getvalue()

    def unpack(self, data):
        """The same dict of dicts."""
        encoded = {}
        for key, tensor in torch.load(io.BytesIO(data), map_location="cpu", weights_only=True).items():
            name, part = key.split("|")
            encoded.setdefault(name, {})[part] = tensor
        return encoded


@hookimpl
def stream_layout(settings) -> Component:
    """In place of the baseline's."""
    return Component(FlatDict)
