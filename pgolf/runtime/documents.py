"""Documents of the validation stream, in batches of like length, chunk by chunk: who is scored when, with what context.

A document with L tokens has L - 1 targets: the first token of the next document is its last one. Chunk c of n tokens scores
targets n c .. n (c + 1) - 1, given at most the `width` tokens before its end:

    end = min(n (c + 1), L - 1),   start = max(0, end - width),   scored: offsets n c - start .. end - start - 1

Source: openai/parameter-golf PR #1530.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Document(NamedTuple):
    """A document of the validation stream.

    Attributes:
        start: place of its first token.
        length: its tokens, the first token of the next document included.
    """

    start: int
    length: int


class Group(NamedTuple):
    """Documents that are scored side by side.

    Attributes:
        index: number of the group, counted from the shortest documents on.
        documents: by length, rising.
    """

    index: int  # type: ignore[assignment]  # hides a method of tuples
    documents: list[Document]


def find_documents(tokens: Tensor, bos_id: int) -> list[Document]:
    """Documents of a stream (N,) that hold a target. What stands before the first `bos_id` is one, too."""
    starts = (tokens == bos_id).nonzero().flatten().tolist()
    if starts[:1] != [0]:
        starts = [0, *starts]
    ends = [start + 1 for start in starts[1:]] + [len(tokens)]
    return [Document(start, end - start) for start, end in zip(starts, ends, strict=True) if end - start > 1]


def group_documents(documents: list[Document], size: int) -> list[Group]:
    """Groups of `size` documents of like length, longest first; the group with the very longest may be smaller."""
    ranked = sorted(documents, key=lambda document: document.length)
    groups = [Group(at // size, ranked[at : at + size]) for at in range(0, len(ranked), size)]
    return sorted(groups, key=lambda group: -group.documents[-1].length)


def split_groups(groups: list[Group], boundaries: list[int]) -> list[list[Group]]:
    """Groups in parts: each part but the last ends with the group that brings the documents so far to its boundary."""
    parts: list[list[Group]] = [[]]
    done = 0
    for group in groups:
        if parts[-1] and len(parts) <= len(boundaries) and done >= boundaries[len(parts) - 1]:
            parts.append([])
        parts[-1].append(group)
        done += len(group.documents)
    return parts


def deal_chains(groups: list[Group], size: int, chains: int) -> list[list[Group]]:
    """Groups of full size dealt out in turn to so many chains; every smaller one is a chain, and without chains each is."""
    full = [group for group in groups if chains and len(group.documents) == size]
    alone = [[group] for group in groups if group not in full]
    return alone + [full[first::chains] for first in range(min(chains, len(full)))]


def row_widths(length: int, count: int, size: int = 1) -> list[int]:
    """At most `count` row lengths, rising: `length`, half of it rounded up, a quarter, ...; a row takes the next longer one.

    Few are compiled, and short rows, which are most, still waste less than with lengths that are evenly apart. With a count of
    0 all multiples of `size` below `length`, and `length`.
    """
    if count == 0:
        return [*range(size, length, size), length]
    return sorted({-(-length // 2**halved) for halved in range(count)})


def row_width(chunk: int, size: int, widths: Sequence[int]) -> int:
    """The length of the rows of one chunk."""
    return min(width for width in widths if width >= min(size * (chunk + 1), widths[-1]))


def count_chunks(document: Document, size: int) -> int:
    """Chunks of a document."""
    return -(-(document.length - 1) // size)


def count_calls(
    groups: list[Group], size: int, widths: Sequence[int], rows: int, ranks: int
) -> dict[tuple[int, int], float]:
    """(rows, row length) -> how often one of so many ranks scores such rows, for all chunks of all groups."""
    calls: dict[tuple[int, int], float] = {}
    for group in groups:
        for chunk in range(count_chunks(group.documents[-1], size)):
            shape = (rows, row_width(chunk, size, widths))
            calls[shape] = calls.get(shape, 0) + 1 / ranks
    return calls


def chunk_window(targets: int, chunk: int, size: int, width: int) -> tuple[int, int, int, int]:
    """(start, length, first scored offset, scored targets) of one chunk of a document with so many targets."""
    end = min(size * (chunk + 1), targets)
    start = max(0, end - width)
    return start, end - start, chunk * size - start, end - chunk * size


def chunk_rows(
    documents: list[Document], chunk: int, size: int, widths: Sequence[int], rows: int
) -> tuple[Tensor, Tensor, Tensor]:
    """One chunk of every document: places and scored for the tally, and weights to learn from.

    Args:
        widths: row lengths to choose from, rising; the last one is the longest context.
        rows: rows of the result; those without a document are padding.

    Returns:
        places (rows, padded + 1), scored and weights (rows, padded): a chunk that is not the last of its document has the
        weight 1 / scored targets on each of these, so that the weighted sum is the sum over documents of means.
    """
    padded = row_width(chunk, size, widths)
    places = torch.zeros(rows, padded + 1, dtype=torch.int64)
    scored = torch.zeros(rows, padded, dtype=torch.bool)
    weights = torch.zeros(rows, padded)
    for row, document in enumerate(documents):
        if chunk < count_chunks(document, size):
            start, length, offset, count = chunk_window(document.length - 1, chunk, size, widths[-1])
            places[row, : length + 1] = torch.arange(length + 1) + document.start + start
            scored[row, offset:length] = True
            if chunk + 1 < count_chunks(document, size):
                weights[row, offset:length] = 1 / count
    return places, scored, weights
