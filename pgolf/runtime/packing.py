"""A layout for codes of two or three values: several of them in a byte, everything else by `torch.save`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from pgolf.runtime.streams import load_tensors, save_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger


class PackedLayout:
    """Stream layout: int8 parts of any name and shape that hold only `values` are packed.

    Args:
        plugin: whose receipt it leaves, if there was such a part.
        values: what a packed part may hold.
        pack: `pack(codes)`, int8 (n,) to uint8 (m,).
        unpack: `unpack(packed, n)`, the inverse; ValueError for bytes that `pack` never gives.
    """

    def __init__(
        self,
        plugin: str,
        values: tuple[int, ...],
        pack: Callable[[np.ndarray], np.ndarray],
        unpack: Callable[[np.ndarray, int], np.ndarray],
    ) -> None:
        self.plugin = plugin
        self.values = values
        self.pack_codes = pack
        self.unpack_codes = unpack

    def pack(self, encoded: dict[str, Parts], ledger: Ledger) -> bytes:
        """The bytes of `torch.save`; a packed part is a dict of its shape and its bytes."""
        packed: dict[str, dict[str, Any]] = {}
        for name, parts in encoded.items():
            packed[name] = dict(parts)
            for key, part in parts.items():
                if part.dtype == torch.int8 and part.numel() and np.isin(part.numpy(), self.values).all():
                    codes = self.pack_codes(part.contiguous().numpy().ravel())
                    packed[name][key] = {"shape": tuple(part.shape), "packed": torch.from_numpy(codes)}
                    ledger.count(self.plugin, "parts packed")
        return save_tensors(packed)

    def unpack(self, data: bytes) -> dict[str, Parts]:
        """The encoded tensors, on the CPU."""
        encoded = load_tensors(data)
        for parts in encoded.values():
            for key, part in parts.items():
                if isinstance(part, dict):
                    shape = part["shape"]
                    codes = self.unpack_codes(part["packed"].numpy(), int(np.prod(shape)))
                    parts[key] = torch.from_numpy(codes).view(shape)
        return encoded
