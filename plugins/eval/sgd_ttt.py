"""Test-time training of all weights: chunk by chunk of the stream, score first, then a few epochs of SGD on what was scored.

    for chunk c of C:   score its windows;   if c < C - 1:  for each epoch, for each batch of rows of T tokens side by side
        g = d/dw mean nll(batch);   clip |g| to 1;   SGD with momentum, lr = lr0 (1 + cos(pi c / (C - 1))) / 2

The windows are those of the chosen `windows`; one belongs to the chunk in which its first scored target lies, so all targets of
a chunk are scored once its windows are. Weights and momentum go on through the whole stream. Targets of a chunk behind its
last whole row are scored, but not learnt from; nor is the last chunk.

A batch is one step of all ranks together: each runs its share of the rows, and gradients are added up. The public scripts
count `ttt_batch_seqs` for each rank; with their sizes a chunk is one step either way.

Within `max_eval_seconds` the evaluation stops learning as soon as the rest of the scoring would not fit any more.

Source: openai/parameter-golf PR #461, PR #549; rates of PR #1413 and PR #1493.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.chunks import ChunkSizes, learn_chunk, walk_chunks

if TYPE_CHECKING:
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="sgd_ttt",
    summary="Test-time training of all weights by SGD, in chunks of the stream, score first.",
    source="openai/parameter-golf#549",
    family="eval",
    effect="-0.0016 to -0.0028 BPB against strided windows; 293 to 410 s on 8 H100",
    conflicts=(Conflict("banks", "with loops and a rate of .005 it diverged: +.645 BPB (fork)", hard=False),),
    settings=(
        Setting("ttt_lr", 0.005, "learning rate in the first chunk", minimum=0),
        Setting("ttt_epochs", 3, "passes over each chunk", minimum=1),
        Setting("ttt_chunk_tokens", 32768, "targets that are scored from one update to the next", minimum=1),
        Setting("ttt_momentum", 0.9, "momentum of SGD", minimum=0, below=1),
        Setting("ttt_batch_seqs", 32, "rows of a step, on all ranks together", minimum=1),
        Setting("ttt_grad_clip", 1.0, "largest norm of all gradients together", minimum=0),
    ),
)


class SgdTTT:
    """`limit`: largest gradient norm; `targets` of a chunk; `rows` of a step."""

    name = "sgd_ttt"
    label = "ttt"

    def __init__(self, lr: float, momentum: float, limit: float, targets: int, epochs: int, rows: int):
        self.lr, self.momentum, self.limit = lr, momentum, limit
        self.sizes = ChunkSizes(targets, epochs, rows)

    def __call__(self, session: Session, tally: Tally) -> None:
        """Score and learn in turn; scores never change afterwards."""
        weights = session.thaw()
        optimizer = torch.optim.SGD(weights, lr=self.lr, momentum=self.momentum)

        def step() -> None:
            torch.nn.utils.clip_grad_norm_(weights, self.limit)
            optimizer.step()
            optimizer.zero_grad()
            session.ledger.count("sgd_ttt", "steps")

        def learn(progress: float, first: int) -> None:
            for group in optimizer.param_groups:
                group["lr"] = self.lr * 0.5 * (1 + math.cos(math.pi * progress))
            learn_chunk(session, tally, self.sizes, first, weights, step)

        found = walk_chunks(session, tally, self.sizes, learn)
        session.freeze()
        session.log(f"sgd_ttt: {found}")


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """The chosen windows, in chunks."""
    length = settings.eval_seq_len or settings.train_seq_len
    settings.require(settings.ttt_chunk_tokens >= length, "ttt_chunk_tokens", f"at least the window's {length} tokens")
    return Component(
        SgdTTT,
        lr=settings.ttt_lr,
        momentum=settings.ttt_momentum,
        limit=settings.ttt_grad_clip,
        targets=settings.ttt_chunk_tokens,
        epochs=settings.ttt_epochs,
        rows=settings.ttt_batch_seqs,
    )
