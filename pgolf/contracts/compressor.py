"""Components that turn parts into the bytes of the artifact and back: parts -> layout -> bytes -> coder -> artifact.

A layout arranges, a coder compresses, and either can be exchanged. A layout may rely on canonical names, of which
`pgolf.runtime.parameters.matrix_role` gives role and layer, and on the names of parts that `pgolf.contracts.quantizer`
lists; whatever else there is it stores as it is. One with several streams joins them with `join_streams` of
`pgolf.runtime.streams`; a coder that treats streams apart takes the container apart again, for any other it is bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pgolf.contracts.quantizer import Parts
    from pgolf.runtime.ledger import Ledger


class StreamLayout(Protocol):
    """Encoded tensors to one byte string and back."""

    def pack(self, encoded: dict[str, Parts], ledger: Ledger, /) -> bytes:
        """canonical name -> part name -> tensor on the CPU; equal input gives equal bytes on every machine."""

    def unpack(self, data: bytes, /) -> dict[str, Parts]:
        """The inverse, bit for bit, on the CPU; ValueError where `data` is no such string."""


class EntropyCoder(Protocol):
    """Lossless compression."""

    name: str
    """Part of file names and log lines."""

    def compress(self, data: bytes, ledger: Ledger, /) -> bytes:
        """Compressed bytes; equal input gives equal bytes on every machine."""

    def decompress(self, data: bytes, limit: int, /) -> bytes:
        """The original bytes; ValueError for damage, and rather than more than `limit` of them in memory or on disk."""
