"""Variants of `sgd_ttt`, each a setting that is off: rates by layer and by surprise, orthogonalized updates, some tensors only.

    w <- w - lr(c) s(chunk) d^(L - 1 - layer) NS(momentum and clipped gradient)

Layers: `ttt_layer_decay` d below 1 lets late layers learn most; what belongs to no layer has the full rate. Surprise: s follows
the chunk's mean nll, from 0 at `ttt_entropy_low` to 1 at `ttt_entropy_high`. NS: `ttt_ns_steps` iterations of the recipe's
orthogonalizer on each matrix, times sqrt(max(1, rows / columns)); rates are then those of Muon. `ttt_groups`: the optimizer
groups whose tensors learn, such as "scalar" for gains and gates. With all of them off it is `sgd_ttt`, bit for bit.

Source: openai/parameter-golf PR #1412, whose script names both bounds and the steps; the line between the bounds is ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.chunks import ChunkSizes, learn_chunk, walk_chunks
from pgolf.runtime.distributed import sum_over_ranks

if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor

    from pgolf.runtime.records import Param
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="discriminative_ttt",
    summary="sgd_ttt with rates by layer and by surprise, orthogonalized updates, or some tensors only.",
    source="openai/parameter-golf#1412",
    family="eval",
    effect="ttt_ns_steps=3: -0.0045 BPB against sgd_ttt on two small models; the other variants lost (CPU, proxy text)",
    settings=(
        Setting("ttt_lr", 0.005, "learning rate in the first chunk", minimum=0),
        Setting("ttt_epochs", 3, "passes over each chunk", minimum=1),
        Setting("ttt_chunk_tokens", 32768, "targets that are scored from one update to the next", minimum=1),
        Setting("ttt_momentum", 0.9, "momentum of SGD", minimum=0, below=1),
        Setting("ttt_batch_seqs", 32, "rows of a step, on all ranks together", minimum=1),
        Setting("ttt_grad_clip", 1.0, "largest norm of all gradients together", minimum=0),
        Setting("ttt_layer_decay", 1.0, "factor on the rate from a layer to the one before it", minimum=0),
        Setting("ttt_entropy_low", 1.75, "mean nll at which nothing is learnt, nats", minimum=0),
        Setting("ttt_entropy_high", 0.0, "mean nll from which on the rate is full, nats; 0 means always", minimum=0),
        Setting("ttt_ns_steps", 0, "iterations of the orthogonalizer; 0 means none", minimum=0),
        Setting("ttt_groups", "", "optimizer groups that learn, with commas; empty for all"),
    ),
)


class DiscriminativeTTT:
    """`sgd`: lr, momentum, largest gradient norm; `sizes`: targets of a chunk, epochs, rows of a step; `entropy`: low, high."""

    name = "discriminative_ttt"
    label = "ttt"

    def __init__(
        self,
        sgd: tuple[float, ...],
        sizes: tuple[int, int, int],
        decay: float,
        entropy: tuple[float, float],
        ns_steps: int,
        groups: tuple[str, ...],
    ):
        (self.lr, self.momentum, self.limit), (self.low, self.high) = sgd, entropy
        self.sizes, self.decay, self.ns_steps, self.groups = ChunkSizes(*sizes), decay, ns_steps, groups

    def __call__(self, session: Session, tally: Tally) -> None:
        """Score and learn in turn; scores never change afterwards."""
        session.thaw()
        weights = self.choose(session)
        rate, sums = [0.0], [torch.zeros_like(tally.sums)]  # of this chunk; of all before it
        buffers: dict[torch.Tensor, Any] = {}
        tensors = [tensor for tensor, _, _ in weights]
        for tensor in session.model.parameters():
            tensor.requires_grad_(any(tensor is chosen for chosen in tensors))

        @torch.no_grad()
        def step() -> None:
            torch.nn.utils.clip_grad_norm_(tensors, self.limit)
            for tensor, record, scale in weights:
                held = buffers.get(tensor)
                buffers[tensor] = tensor.grad if held is None else held * self.momentum + tensor.grad
                tensor.add_(self.orthogonalize(session, buffers[tensor], record) * scale, alpha=-rate[0])
                tensor.grad = None
            session.ledger.count("discriminative_ttt", "steps")

        def learn(progress: float, first: int) -> None:
            sums.append(sum_over_ranks(tally.sums.clone(), session.world))
            nats, targets, _ = (sums[-1] - sums[-2]).tolist()
            rate[0] = self.lr * 0.5 * (1 + math.cos(math.pi * progress)) * self.surprise(nats / targets)
            learn_chunk(session, tally, self.sizes, first, tensors, step)

        found = walk_chunks(session, tally, self.sizes, learn)
        session.freeze()
        session.log(f"discriminative_ttt: {len(tensors)} tensors {found}")

    def choose(self, session: Session) -> list[tuple[Tensor, Param, Any]]:
        """Tensors that learn, each with its record and a factor on the rate, by layer."""
        chosen = [one for one in session.parameters if one.adapt and (not self.groups or one.group in self.groups)]
        found: list[tuple[Tensor, Param, Any]] = []
        for record in chosen:
            for at, name in enumerate(record.stored_names()):
                tensor = session.model.get_parameter(name)
                found.append((tensor, record, self.factor(record, at, tensor)))
        return found

    def factor(self, record: Param, at: int, tensor: Tensor) -> Any:
        """A number, or for a bank one for each member."""
        if record.members:
            layers = len(tensor) // len(record.members)
            behind = layers - 1 - torch.arange(len(tensor), device=tensor.device) % layers
            return (self.decay**behind).view(-1, 1, 1)
        return self.decay ** (record.layers - 1 - record.first - at) if record.layers else 1.0

    def surprise(self, nll: float) -> float:
        """Factor on the rate for the mean nll of a chunk."""
        return min(max((nll - self.low) / (self.high - self.low), 0.0), 1.0) if self.high > 0 else 1.0

    def orthogonalize(self, session: Session, update: Tensor, record: Param) -> Tensor:
        """Of a matrix or a bank of them, where that is asked for."""
        if not self.ns_steps or record.group != "matrix":
            return update
        names = ("",) * (len(update) if record.members else 1)
        found: Tensor = session.program.orthogonalizer(update, names, self.ns_steps)
        return found.to(update.dtype) * math.sqrt(max(1.0, update.size(-2) / update.size(-1)))


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """The chosen windows, in chunks."""
    length = settings.eval_seq_len or settings.train_seq_len
    low, high = settings.ttt_entropy_low, settings.ttt_entropy_high
    settings.require(settings.ttt_chunk_tokens >= length, "ttt_chunk_tokens", f"at least the window's {length} tokens")
    settings.require(high == 0 or high > low, "ttt_entropy_high", f"0, or above ttt_entropy_low={low:g}")
    return Component(
        DiscriminativeTTT,
        sgd=(settings.ttt_lr, settings.ttt_momentum, settings.ttt_grad_clip),
        sizes=(settings.ttt_chunk_tokens, settings.ttt_epochs, settings.ttt_batch_seqs),
        decay=settings.ttt_layer_decay,
        entropy=(low, high),
        ns_steps=settings.ttt_ns_steps,
        groups=tuple(settings.ttt_groups.split(",")) if settings.ttt_groups else (),
    )
