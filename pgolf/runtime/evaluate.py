"""Scoring: every target once, nats and UTF-8 bytes summed in full precision, bits per byte."""

import time
from typing import NamedTuple

import torch

from pgolf.runtime.distributed import sum_over_ranks

LOG_TWO = 0.6931471805599453


class Span(NamedTuple):
    """One scored window: inputs are tokens[start:end], targets one further; offsets from `first` on are scored."""

    start: int
    end: int
    first: int


class Score(NamedTuple):
    """`val_loss` in nats per token, `val_bpb` in bits per byte, the number of targets, the time in milliseconds."""

    val_loss: float
    val_bpb: float
    tokens: int
    eval_ms: float


def chunk_spans(num_tokens, seq_len):
    """Windows side by side, a rest shorter than `seq_len` left out, as in the public baseline."""
    return [Span(start, start + seq_len, 0) for start in range(0, (num_tokens - 1) // seq_len * seq_len, seq_len)]


def rank_share(items, rank, world_size):
    """The contiguous share of one rank."""
    return items[len(items) * rank // world_size : len(items) * (rank + 1) // world_size]


def span_batch(tokens, spans, rows, seq_len):
    """(x, y, scored, positions) of shape (rows, seq_len), padded on the right and below; causal: padding changes nothing.

    `positions` are the targets' places in `tokens`; padding has place 0, which is never a target.
    Python's own types stand for the dtypes int64 and bool here, and for float64 below.
    """
    ids = torch.zeros(rows, seq_len + 1, dtype=int)  # type: ignore[call-overload]
    scored = torch.zeros(rows, seq_len, dtype=bool)  # type: ignore[call-overload]
    positions = torch.zeros(rows, seq_len, dtype=int)  # type: ignore[call-overload]
    for row, (start, end, first) in enumerate(spans):
        positions[row, : end - start] = torch.arange(start + 1, end + 1)
        ids[row, : end + 1 - start] = tokens[start : end + 1]
        scored[row, first : end - start] = True
    return ids[:, :-1], ids[:, 1:], scored, positions


def score_spans(session, spans, adapter=None):
    """Score this rank's share of `spans` and sum over ranks; an adapter learns from each batch once it is scored.

    The model scores in eval mode, under the scoring phases, and is in training mode afterwards.
    """
    begin, world, rows = time.perf_counter(), session.world, session.rows
    session.model.eval()
    spans = rank_share(spans, world.rank, world.world_size)
    sums = torch.zeros(3, dtype=float, device=world.device)  # type: ignore[call-overload]
    for at in range(0, len(spans), rows):
        parts = span_batch(session.tokens, spans[at : at + rows], rows, session.seq_len)
        x, y, scored, positions = (part.to(world.device) for part in parts)
        sums += score_batch(session, x, y, scored, positions, adapter)
        if at // rows % 100 == 99:
            session.log(f"eval: batch {at // rows}")
    session.model.train()
    nats, tokens, byte_sum = sum_over_ranks(sums, world).tolist()
    return Score(nats / tokens, nats / LOG_TWO / byte_sum, int(tokens), 1000.0 * (time.perf_counter() - begin))


def score_batch(session, x, y, scored, positions, adapter):
    """Sums (nats, tokens, bytes) over the scored targets; their scores are final before the adapter learns."""
    fields = {name: field(x, session.ledger) for name, field in session.program.batch_fields}
    with torch.set_grad_enabled(adapter is not None):
        nll = session.forward(x, y, phases=session.scoring_phases(), fields=fields, reduction="none", adapter=adapter)
    final = nll.detach().double()
    if adapter is not None:
        adapter.learn(nll, scored)
    counts = session.program.byte_counter.count(x, y, positions)
    return torch.stack([part.sum().double() for part in (final * scored, scored, counts * scored)])
