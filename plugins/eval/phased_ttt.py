"""Phased test-time training: when enough documents are scored, the base weights themselves learn from them, a few times.

After P (i + 1) / n of the documents, i = 0 .. n - 1, the first so many of those scored, from the shortest on, are laid end to
end and cut into C chunks. For every chunk but the last, in rows of at most `global_ttt_batch_seqs` windows:

    g = d/dw mean nll(row);   clip |g| to 1;   SGD with momentum, lr = lr0 (1 + cos(pi c / (C - 1))) / 2

Momentum starts anew each time. Within a row attention stays inside documents, and inside stretches of at most one window.
A document brings its closing BOS, so two of them meet; of an opening BOS that is not scored yet a scored one takes the place,
which is the same token, so nothing is learnt from before it is scored.

On several ranks each takes some of a row's stretches, with the token before them, and gradients are added up: the update is
that of one rank.

Source: openai/parameter-golf PR #1610 and PR #1626.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.distributed import learning_world, mean_gradients
from pgolf.runtime.segments import find_starts, lay_side_by_side

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.documents import Document
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="phased_ttt",
    summary="Trains the base weights on scored documents between groups of lora_ttt.",
    source="openai/parameter-golf#1610",
    family="eval",
    effect="-0.0005 BPB with one phase, -0.0013 with three",
    requires=("lora_ttt",),
    settings=(
        Setting("phased_ttt_prefix_docs", 2500, "documents after which the last phase ends", minimum=1),
        Setting("phased_ttt_num_phases", 3, "how often the base weights learn", minimum=1),
        Setting("global_ttt_lr", 0.001, "learning rate of a phase's first chunk", minimum=0),
        Setting("global_ttt_momentum", 0.9, "momentum of SGD", minimum=0, below=1),
        Setting("global_ttt_epochs", 1, "passes over each chunk", minimum=1),
        Setting("global_ttt_chunk_tokens", 32768, "tokens with one learning rate", minimum=1),
        Setting("global_ttt_batch_seqs", 32, "windows in a row, which is one step", minimum=1),
        Setting("global_ttt_grad_clip", 1.0, "largest norm of all gradients together", minimum=0),
    ),
)


class PhasedTTT:
    """`prefix`: documents before the last phase ends; `sgd`: lr, momentum, largest gradient norm; `seq_len`: of a stretch."""

    name = "phased_ttt"

    def __init__(
        self,
        bos_id: int,
        prefix: int,
        phases: int,
        sgd: tuple[float, float, float],
        epochs: int,
        chunk_tokens: int,
        row_tokens: int,
        seq_len: int,
    ):
        self.bos_id, self.sgd, self.epochs = bos_id, sgd, epochs
        self.prefix, self.phases = prefix, phases
        self.chunk_tokens, self.row_tokens, self.seq_len = chunk_tokens, row_tokens, seq_len

    def boundaries(self, count: int) -> list[int]:
        """Cumulative numbers of documents."""
        prefix = min(self.prefix, count)
        marks = [prefix * (phase + 1) // self.phases for phase in range(self.phases)]
        return [mark for mark in marks if mark > 0]

    def __call__(self, session: Session, tally: Tally, documents: list[Document]) -> None:
        """One phase."""
        stream = lay_out(documents, session.tokens, tally.scored_at, self.bos_id)
        weights, (lr, momentum, limit) = session.thaw(), self.sgd
        optimizer = torch.optim.SGD(weights, lr=lr, momentum=momentum)
        size = self.chunk_tokens
        last = -(-(len(stream) - 1) // size) - 1
        for chunk in range(last):
            for group in optimizer.param_groups:
                group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * chunk / last))
            for start in [*range(0, size, self.row_tokens)] * self.epochs:
                end = min(start + self.row_tokens, size)
                self.learn_row(session, tally, stream[chunk * size + start : chunk * size + end + 1])
                mean_gradients(weights, learning_world(session.world))
                torch.nn.utils.clip_grad_norm_(weights, limit)
                optimizer.step()
                optimizer.zero_grad()
                session.ledger.count("phased_ttt", "steps")
        session.freeze()
        session.log(f"phased_ttt: {len(documents)} documents, {len(stream)} tokens, {last} chunks learnt from")

    def learn_row(self, session: Session, tally: Tally, row: Tensor) -> None:
        """Gradients of this rank's part of a row of places, times the number of ranks, since they will be averaged."""
        world = learning_world(session.world)
        total = len(row) - 1
        starts = find_starts(session.tokens[row[:-1]] == self.bos_id, self.seq_len)
        mine = [start for start in starts if total * world.rank <= start * world.world_size]
        mine = [start for start in mine if start * world.world_size < total * (world.rank + 1)]
        first = mine[0] if mine else 0
        # A rank without a stretch goes along with the first one, which counts for nothing then.
        after = next(start for start in [*starts, total] if start > (mine[-1] if mine else 0))
        begin = max(first - 1, 0)
        inside = [start - begin for start in starts if first <= start < after]
        weights = torch.full((1, after - begin), world.world_size / total if mine else 0.0)
        weights[:, : first - begin] = 0
        segments = lay_side_by_side([0] * (first > begin) + inside, after - begin, world.device)
        tally.learn(tally.replay(row[None, begin : after + 1], segments=segments), weights)


def lay_out(documents: list[Document], tokens: Tensor, scored_at: Tensor, bos_id: int) -> Tensor:
    """Places of the documents' tokens, one document after the other; see above for the first token of each."""
    places = torch.cat([torch.arange(start, start + length) for start, length in documents])
    known = places[(tokens[places] == bos_id) & (scored_at[places] > 0)]
    unknown = scored_at[places] == 0
    # The very first token is only ever given.
    unknown[0] = False
    places[unknown] = known[:1]
    return places


@hookimpl
def base_update(settings: SettingsView) -> Component:
    """Between groups of documents."""
    length = settings.ttt_eval_seq_len
    return Component(
        PhasedTTT,
        bos_id=settings.bos_id,
        prefix=settings.phased_ttt_prefix_docs,
        phases=settings.phased_ttt_num_phases,
        sgd=(settings.global_ttt_lr, settings.global_ttt_momentum, settings.global_ttt_grad_clip),
        epochs=settings.global_ttt_epochs,
        chunk_tokens=settings.global_ttt_chunk_tokens,
        row_tokens=settings.global_ttt_batch_seqs * length,
        seq_len=length,
    )
