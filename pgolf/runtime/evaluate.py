"""Evaluations: walk over windows, or what the chosen evaluation does; the tally counts every target once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.distributed as dist

from pgolf.runtime.distributed import MICRO_BATCHES
from pgolf.runtime.tally import Score, Tally, close_marks, merge, score_rows, write_marks

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

    from pgolf.runtime.distributed import World
    from pgolf.runtime.session import Session


class Span(NamedTuple):
    """One scored window.

    Attributes:
        start, end: inputs are tokens[start:end], targets one further.
        first: offsets from `first` on are scored, the ones before are context.
    """

    start: int
    end: int
    first: int


def chunk_spans(num_tokens: int, seq_len: int) -> list[Span]:
    """Windows side by side, a rest shorter than `seq_len` left out, as in the public baseline."""
    return [Span(start, start + seq_len, 0) for start in range(0, (num_tokens - 1) // seq_len * seq_len, seq_len)]


def rank_share(items: list[Any], rank: int, world_size: int) -> list[Any]:
    """The contiguous share of one rank."""
    return items[len(items) * rank // world_size : len(items) * (rank + 1) // world_size]


def deal_batches(spans: list[Span], rows: int, world: World) -> list[list[Span]]:
    """One rank's windows in batches of `rows`; where kernels are deterministic, batches are those of one rank alone."""
    whole = torch.are_deterministic_algorithms_enabled()
    mine = spans if whole else rank_share(spans, world.rank, world.world_size)
    batches = [mine[at : at + rows] for at in range(0, len(mine), rows)]
    return rank_share(batches, world.rank, world.world_size) if whole else batches


def span_rows(spans: list[Span], rows: int, seq_len: int) -> tuple[Tensor, Tensor]:
    """(places, scored) for the tally, padded on the right and below; causal, so padding changes nothing.

    Python's own types stand for the dtypes int64 and bool.
    """
    places = torch.zeros(rows, seq_len + 1, dtype=torch.int64)
    scored = torch.zeros(rows, seq_len, dtype=torch.bool)
    for row, (start, end, first) in enumerate(spans):
        places[row, : end + 1 - start] = torch.arange(start, end + 1)
        scored[row, first : end - start] = True
    return places, scored


def score_spans(session: Session, spans: list[Span], eager: bool = False) -> tuple[Score, Tensor]:
    """Score windows, this rank its share of them, in eval mode; the model is in training mode afterwards.

    Args:
        eager: do not compile the forward for it.

    Returns:
        The score over all ranks, and for each place of the stream the batch that scored it, counted from 1.
    """
    begin = time.perf_counter()
    world = session.world
    rows = session.rows
    session.model.eval()
    marks = torch.zeros(len(session.tokens), dtype=torch.int32)
    sums = torch.zeros(3, dtype=torch.float64, device=world.device)
    for number, batch in enumerate(deal_batches(spans, rows, world), 1):
        places, scored = span_rows(batch, rows, session.seq_len)
        sums += score_rows(session, marks, number, places, scored, eager=eager)[1]
    session.model.train()
    marks = merge(marks, dist.ReduceOp.MAX, world)
    return close_marks(session, marks, sums, begin), marks


def run_evaluation(session: Session) -> Score:
    """What the chosen evaluation scores, on frozen weights: none has a gradient unless the evaluation thaws it."""
    evaluation: Any = session.program.evaluation
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    evaluation(session, tally)
    tally.share()
    score = close_marks(session, tally.scored_at, tally.sums, tally.begin)
    write_marks(session, tally.scored_at, tally.learned_at)
    session.log(f"eval: {evaluation.name} ran {len(tally.done)} shapes on rank 0")
    seconds, world_size = score.eval_ms / 1000.0, session.world.world_size
    session.log(
        f"eval: {evaluation.name} took {seconds:.1f} s on {world_size} ranks, which is about "
        f"{seconds * world_size / MICRO_BATCHES:.1f} of {session.settings.max_eval_seconds:g} s on {MICRO_BATCHES}"
    )
    session.ledger.count(evaluation.name, "targets", score.tokens)
    session.model.requires_grad_(True)
    session.model.train()
    return score
