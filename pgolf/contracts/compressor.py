"""Components that turn parts into bytes and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger


class StreamLayout(Protocol):
    """Encoded tensors to one byte string and back."""

    def pack(self, encoded: dict[str, Parts], ledger: Ledger, /) -> bytes:
        """canonical name -> parts; a canonical name says layer and role, a part's name what it holds."""

    def unpack(self, data: bytes, /) -> dict[str, Parts]:
        """The inverse, on the CPU."""


class EntropyCoder(Protocol):
    """Lossless compression."""

    name: str
    """Part of file names and log lines."""

    def compress(self, data: bytes, ledger: Ledger, /) -> bytes:
        """Compressed bytes."""

    def decompress(self, data: bytes, limit: int, /) -> bytes:
        """The original bytes; ValueError rather than more than `limit` of them."""
