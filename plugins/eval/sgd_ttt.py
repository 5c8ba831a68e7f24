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
from pgolf.runtime.distributed import learning_world, mean_gradients
from pgolf.runtime.evaluate import deal_batches, span_rows

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.evaluate import Span
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
    """`sgd`: lr, momentum, largest gradient norm; `sizes`: targets of a chunk, epochs, rows of a step."""

    name = "sgd_ttt"
    label = "ttt"

    def __init__(self, sgd: tuple[float, ...], sizes: tuple[int, ...]):
        self.lr, self.momentum, self.limit = sgd
        self.size, self.epochs, self.batch = sizes

    def __call__(self, session: Session, tally: Tally) -> None:
        """Score and learn in turn; scores never change afterwards."""
        chunks = self.split(session.program.windows.spans(len(session.tokens), session.seq_len), len(session.tokens))
        weights, last = session.thaw(), len(chunks) - 1
        optimizer = torch.optim.SGD(weights, lr=self.lr, momentum=self.momentum)
        tally.rehearse([(session.rows, session.seq_len)])
        windows = sum(len(spans) for spans in chunks) // session.world.world_size
        tally.planned, learnt = windows * (session.seq_len + 1), 0
        for chunk, spans in enumerate(chunks):
            self.score_chunk(session, tally, spans)
            # An epoch is a forward and a backward, eager.
            costs = 4 * self.epochs * self.size // session.world.world_size
            if chunk < last and tally.all_may_learn(costs):
                tally.share(chunk * self.size, (chunk + 1) * self.size + 1)
                for group in optimizer.param_groups:
                    group["lr"] = self.lr * 0.5 * (1 + math.cos(math.pi * chunk / last))
                self.learn_chunk(session, tally, optimizer, weights, chunk * self.size)
                learnt += 1
        session.freeze()
        session.log(f"sgd_ttt: learnt from {learnt} of {last} chunks")

    def split(self, spans: list[Span], tokens: int) -> list[list[Span]]:
        """Windows of each chunk."""
        chunks: list[list[Span]] = [[] for _ in range(-(-(tokens - 1) // self.size))]
        for span in spans:
            chunks[(span.start + span.first) // self.size].append(span)
        return chunks

    def score_chunk(self, session: Session, tally: Tally, spans: list[Span]) -> None:
        """This rank's share of the windows."""
        for batch in deal_batches(spans, session.rows, session.world):
            tally.score(*span_rows(batch, session.rows, session.seq_len))

    def learn_chunk(
        self, session: Session, tally: Tally, optimizer: torch.optim.SGD, weights: list[Tensor], first: int
    ) -> None:
        """Epochs over the whole rows of the chunk that begins there."""
        length, world = session.seq_len, learning_world(session.world)
        rows = first + torch.arange(self.size // length)[:, None] * length + torch.arange(length + 1)
        for batch in rows.split(self.batch) * self.epochs:
            # The weights of a rank's rows give the mean over the batch, once gradients are averaged over ranks.
            share = torch.full((len(batch), length), world.world_size / (len(batch) * length))
            low, high = len(batch) * world.rank // world.world_size, len(batch) * (world.rank + 1) // world.world_size
            if low == high:
                # A rank without rows goes along with the first one, which counts for nothing there.
                low, high, share = 0, 1, share * 0
            tally.learn(tally.replay(batch[low:high]), share[low:high])
            mean_gradients(weights, world)
            torch.nn.utils.clip_grad_norm_(weights, self.limit)
            optimizer.step()
            optimizer.zero_grad()
            session.ledger.count("sgd_ttt", "steps")


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """The chosen windows, in chunks."""
    length = settings.eval_seq_len or settings.train_seq_len
    settings.require(settings.ttt_chunk_tokens >= length, "ttt_chunk_tokens", f"at least the window's {length} tokens")
    return Component(
        SgdTTT,
        sgd=(settings.ttt_lr, settings.ttt_momentum, settings.ttt_grad_clip),
        sizes=(settings.ttt_chunk_tokens, settings.ttt_epochs, settings.ttt_batch_seqs),
    )
