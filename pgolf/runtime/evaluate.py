"""Scoring: every target once, nats and UTF-8 bytes summed in full precision, bits per byte."""

import math
import time
from typing import NamedTuple

import torch

from pgolf.runtime.distributed import sum_over_ranks


class Span(NamedTuple):
    """One scored window: inputs are tokens[start:end], targets one further; offsets from `first` on are scored."""

    start: int
    end: int
    first: int


class Score(NamedTuple):
    """`val_loss` in nats per token, `val_bpb` in bits per byte, and the sums they come from."""

    val_loss: float
    val_bpb: float
    tokens: int
    bytes: int
    eval_ms: float


def chunk_spans(num_tokens, seq_len):
    """Windows side by side, a rest shorter than `seq_len` left out, as in the public baseline."""
    return [Span(start, start + seq_len, 0) for start in range(0, (num_tokens - 1) // seq_len * seq_len, seq_len)]


def rank_share(items, rank, world_size):
    """The contiguous share of one rank."""
    return items[len(items) * rank // world_size : len(items) * (rank + 1) // world_size]


def span_batch(tokens, spans, rows, seq_len):
    """(x, y, scored) of shape (rows, seq_len), padded on the right and below; causal, so padding changes nothing."""
    x = torch.zeros(rows, seq_len, dtype=torch.int64)
    y, scored = torch.zeros_like(x), torch.zeros(rows, seq_len, dtype=torch.bool)
    for row, (start, end, first) in enumerate(spans):
        x[row, : end - start] = tokens[start:end]
        y[row, : end - start] = tokens[start + 1 : end + 1]
        scored[row, first : end - start] = True
    return x, y, scored


class Scorer:
    """Scores a model on the validation tokens.

    Args:
        settings: engine settings; `val_batch_size` is in tokens over all ranks and micro-steps.
        program: the chosen components.
        tokens: validation tokens (N,), uint16 on the CPU.
        bytes_of: the opened byte counter.
        world: rank and device.
        log: `log(line)` for progress.
        ledger: collects receipts.
    """

    def __init__(self, settings, program, tokens, bytes_of, world, log, ledger):
        self.program = program
        self.tokens = tokens
        self.bytes_of = bytes_of
        self.world = world
        self.log = log
        self.ledger = ledger
        self.seq_len = settings.eval_seq_len or settings.train_seq_len
        self.rows = max(settings.val_batch_size // (8 * self.seq_len), 1)

    def score(self, forward, spans, phases, adapter=None):
        """Score this rank's share of `spans` and sum over ranks; an adapter learns from each batch once it is scored."""
        begin, device = time.perf_counter(), self.world.device
        mine = rank_share(spans, self.world.rank, self.world.world_size)
        sums = torch.zeros(3, dtype=torch.float64, device=device)
        starts = range(0, len(mine), self.rows)
        for number, at in enumerate(starts):
            x, y, scored = (
                part.to(device) for part in span_batch(self.tokens, mine[at : at + self.rows], self.rows, self.seq_len)
            )
            sums += self.score_batch(forward, x, y, scored, phases, adapter)
            if len(starts) >= 20 and (number + 1) % (len(starts) // 10) == 0:
                self.log(f"eval: batch {number + 1}/{len(starts)}")
        nats, tokens, byte_sum = sum_over_ranks(sums, self.world).tolist()
        bpb = nats / math.log(2.0) / byte_sum
        return Score(nats / tokens, bpb, int(tokens), int(byte_sum), 1000.0 * (time.perf_counter() - begin))

    def score_batch(self, forward, x, y, scored, phases, adapter):
        """Sums (nats, tokens, bytes) over the scored targets; their scores are final before the adapter learns."""
        fields = {name: field(x, self.ledger) for name, field in self.program.batch_fields}
        with torch.set_grad_enabled(adapter is not None):
            nll = forward(x, y, phases=phases, reduction="none", adapter=adapter, fields=fields)
        final = nll.detach().double() * scored
        if adapter is not None:
            adapter.learn(nll, scored)
        byte_counts = self.bytes_of.count(x, y) * scored
        return torch.stack((final.sum(), scored.sum().double(), byte_counts.sum().double()))
