"""A document through a text transform, held to what it promises: the document comes back, and its bytes add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pgolf.contracts.data import TextTransform

Array = np.ndarray[Any, Any]
# A side file has 16 bits for each token.
MOST_BYTES = 65535


@dataclass(frozen=True)
class Transform:
    """A text transform; `record` says in manifest.json which: name, version, origin and sha256, arguments."""

    text: TextTransform
    record: dict[str, Any]

    @property
    def name(self) -> str:
        """The plugin's name."""
        return str(self.record["name"])


class Refusal(ValueError):
    """A document that cannot be used, with the code of the error."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def apply(transform: Transform, text: str) -> tuple[str, Array]:
    """The transformed document and the UTF-8 bytes of the original that each of its characters stands for.

    Raises:
        Refusal: PG506 when the transform fails on the document, does not give it back, or counts other bytes than it has.
    """
    name = transform.name
    try:
        changed = transform.text.encode(text)
        changed.encode()
        back = transform.text.decode(changed)
        counts = np.array(transform.text.byte_counts(changed), dtype=np.int64)
    except Exception as error:  # a plugin is other people's code, and the user wants to know the document
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise Refusal("PG506", f"{name} fails on the document: {reason}") from None
    if back != text:
        raise Refusal("PG506", f"{name} does not give the document back: {difference(back, text)}")
    size = len(text.encode())
    least = counts.min(initial=0)
    if counts.shape != (len(changed),) or least < 0 or counts.sum() != size:
        seen = f"{counts.size} byte counts, the least {least}, together {counts.sum()}"
        wanted = f"one for each of {len(changed)} characters, none below 0, together {size}"
        raise Refusal("PG506", f"{name} gives {seen}; wanted {wanted}")
    return changed, counts


def difference(seen: str, wanted: str) -> str:
    """Where two texts part, and how they go on."""
    pairs = enumerate(zip(seen, wanted, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(seen), len(wanted)))
    return f"from character {at} on it is {seen[at : at + 20]!a}, wanted {wanted[at : at + 20]!a}"


def tokenize_with_spans(tokenizer: Any, text: str) -> tuple[list[int], Array]:
    """Token ids, and the place of each in the text: (n,2) characters, from and to. Text that has no token is in no span.

    A character that is several byte tokens belongs to the last of them.
    """
    if hasattr(tokenizer, "encode_as_offset_mapping"):
        found = tokenizer.encode_as_offset_mapping(text)
        ids, spans = found["ids"], found["offsets"]
    else:  # SentencePiece before 0.2.3
        pieces = tokenizer.encode(text, out_type="immutable_proto").pieces
        ids, spans = [piece.id for piece in pieces], [(piece.begin, piece.end) for piece in pieces]
    return ids, np.array(spans, dtype=np.int64).reshape(-1, 2)


def token_bytes(ids: list[int], spans: Array, counts: Array, unknown: int) -> Array:
    """Bytes (n,) that each token stands for; an unknown token stands for none, since it does not say which.

    Raises:
        Refusal: PG503 for a token that stands for more than a side file can say.
    """
    upto = np.concatenate(([0], np.cumsum(counts)))
    sizes: Array = (upto[spans[:, 1]] - upto[spans[:, 0]]) * (np.array(ids, dtype=np.int64) != unknown)
    if sizes.max(initial=0) > MOST_BYTES:
        raise Refusal("PG503", f"one token stands for {sizes.max()} bytes, a side file holds at most {MOST_BYTES}")
    return sizes
