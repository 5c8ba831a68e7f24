"""Components that read tokens, count bytes and transform text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, device

    from pgolf.runtime.ledger import Ledger


class TokenLoader(Protocol):
    """Training batches of one rank."""

    def open(self, pattern: Path, rank: int, world_size: int, vocab_size: int, ledger: Ledger, /) -> None:
        """Start from the first batch, also when called again; ValueError for damaged shards."""

    def next(self, tokens: int, seq_len: int, /) -> tuple[Tensor, Tensor]:
        """Inputs and targets (tokens/seq_len, seq_len), int64 on the CPU."""


class BatchShape(Protocol):
    """How large a step's batch is."""

    def __call__(self, phases: tuple[str, ...], /) -> tuple[int, int]:
        """(tokens of one step over all ranks and micro-steps, tokens of a sequence) while these phases are on."""


class ByteCounter(Protocol):
    """UTF-8 bytes that each target stands for."""

    def open(self, tokenizer_path: str, data_path: str, vocab_size: int, device: device, ledger: Ledger, /) -> None:
        """Read the tokenizer, or side files beside the shards; ValueError where counts could be wrong."""

    def count(self, ids_BT: Tensor, targets_BT: Tensor, positions_BT: Tensor, /) -> Tensor:
        """Bytes of every target, int64 (B,T); `positions` are the targets' places in the validation stream."""


class BatchField(Protocol):
    """An extra tensor for each batch, reachable as `ctx.fields[name]`."""

    def __call__(self, ids_BT: Tensor, ledger: Ledger, /) -> Tensor:
        """A tensor of (B,T)."""


class TextTransform(Protocol):
    """A lossless change of text before it is tokenized; used when data are prepared, never by the running program.

    Whoever prepares data holds it to its promises, document by document: `decode(encode(text)) == text`, and the byte
    counts of a transformed document sum to the UTF-8 length of the original. It is sent to worker processes by pickle.

    Attributes:
        symbols: characters with a meaning of their own; the tokenizer must have them as pieces, and never merges them.
    """

    symbols: tuple[str, ...]

    def encode(self, text: str, /) -> str:
        """The transformed document."""

    def decode(self, text: str, /) -> str:
        """The original; ValueError for text that is no transformed document."""

    def byte_counts(self, text: str, /) -> Sequence[int]:
        """UTF-8 bytes of the original that each character of a transformed document stands for, one entry each."""
