"""Test-time training in chunks of the stream: score the windows of a chunk, then learn from its rows, on all ranks together.

    for chunk c of C:   score its windows;   if c < C - 1:  for each epoch, for each batch of rows of T tokens side by side
        g = d/dw mean nll(batch);   clip |g|;   step

A window belongs to the chunk in which its first scored target lies, so all targets of a chunk are scored once its windows are.
Targets of a chunk behind its last whole row are scored, but not learnt from; nor is the last chunk.

A batch is one step of all ranks together: each runs its share of the rows, and gradients are averaged. What learns is up to the
caller: base weights, or an adapter that acts in every forward.

Source: openai/parameter-golf PR #461, PR #549.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from pgolf.runtime.distributed import learning_world, mean_gradients
from pgolf.runtime.evaluate import deal_batches, span_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from pgolf.contracts.evaluation import Adapter
    from pgolf.runtime.evaluate import Span
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally


class ChunkSizes(NamedTuple):
    """Targets of a chunk, passes over each, rows of a step on all ranks together."""

    targets: int
    epochs: int
    rows: int


def split_chunks(spans: list[Span], tokens: int, size: int) -> list[list[Span]]:
    """The windows of each chunk of `size` targets."""
    chunks: list[list[Span]] = [[] for _ in range(-(-(tokens - 1) // size))]
    for span in spans:
        chunks[(span.start + span.first) // size].append(span)
    return chunks


def walk_chunks(
    session: Session,
    tally: Tally,
    sizes: ChunkSizes,
    learn: Callable[[float, int], None],
    adapter: Adapter | None = None,
) -> str:
    """Score all chunks, and learn between them while there is time.

    Args:
        learn: `learn(progress, first)` learns from the chunk whose first input is at place `first`; progress is c / (C - 1).

    Returns:
        how many chunks were learnt from, for the log.
    """
    size, world_size = sizes.targets, session.world.world_size
    chunks = split_chunks(
        session.program.windows.spans(len(session.tokens), session.seq_len), len(session.tokens), size
    )
    last, learnt = len(chunks) - 1, 0
    with torch.no_grad():
        tally.rehearse([(session.rows, session.seq_len)], adapter)
    calls = sum(len(deal_batches(spans, session.rows, session.world)) for spans in chunks)
    tally.planned = {(session.rows, session.seq_len): calls}
    for chunk, spans in enumerate(chunks):
        with torch.no_grad():
            for batch in deal_batches(spans, session.rows, session.world):
                tally.score(*span_rows(batch, session.rows, session.seq_len), adapter)
        # An epoch is a forward and a backward, eager.
        if chunk < last and tally.all_may_learn(4 * sizes.epochs * size // world_size):
            tally.share(chunk * size, (chunk + 1) * size + 1)
            learn(chunk / last, chunk * size)
            learnt += 1
    return f"learnt from {learnt} of {last} chunks"


def learn_chunk(
    session: Session,
    tally: Tally,
    sizes: ChunkSizes,
    first: int,
    tensors: list[Tensor],
    step: Callable[[], None],
    adapter: Adapter | None = None,
) -> None:
    """Epochs over the whole rows of the chunk that begins at `first`; `step` finds the gradients of all ranks in `tensors`."""
    length, world = session.seq_len, learning_world(session.world)
    rows = first + torch.arange(sizes.targets // length)[:, None] * length + torch.arange(length + 1)
    for batch in rows.split(sizes.rows) * sizes.epochs:
        # The weights of a rank's rows give the mean over the batch, once gradients are averaged over ranks.
        share = torch.full((len(batch), length), world.world_size / (len(batch) * length))
        low, high = len(batch) * world.rank // world.world_size, len(batch) * (world.rank + 1) // world.world_size
        if low == high:
            # A rank without rows goes along with the first one, which counts for nothing there.
            low, high, share = 0, 1, share * 0
        tally.learn(tally.replay(batch[low:high], adapter), share[low:high])
        mean_gradients(tensors, world)
        step()
