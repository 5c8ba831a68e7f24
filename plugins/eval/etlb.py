"""Eval-time logit bias: one bias for the logits, or one vector in the stream, learns from each chunk once it is scored.

    p(y) = softmax(logits + b)_y;   after a chunk:  b <- clamp(b - lr d/db mean nll(chunk), -clip, clip), `etlb_steps` times

b begins at 0, goes on through the whole stream and never sees a target before it is scored. The public scripts fit it to the
part of a window that earlier windows have scored; here it learns from chunk to chunk, so that all ranks have the same b.

With `etlb_hidden` b is added to the last MLP's output instead: SLOT, on scored text alone. As SLOT was first published, it
learns from the targets that it scores; that form is not here.

Source: openai/parameter-golf PR #1493 and PR #1514 (`ETLB_*`, switched off); PR #1240 on SLOT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.chunks import ChunkSizes, learn_chunk, walk_chunks

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="etlb",
    summary="A bias of the logits learns at test time, score first.",
    source="openai/parameter-golf#1493",
    family="eval",
    effect="-0.0025 BPB against sliding windows on two small models, sgd_ttt -0.008; etlb_hidden nothing (CPU, proxy text)",
    order=60,
    settings=(
        Setting("etlb_lr", 0.05, "learning rate of SGD", minimum=0),
        Setting("etlb_steps", 5, "steps for each chunk", minimum=1),
        Setting("etlb_clip", 3.0, "largest bias, in nats", minimum=0),
        Setting("etlb_chunk_tokens", 4096, "targets that are scored from one update to the next", minimum=1),
        Setting("etlb_hidden", False, "a vector after the last MLP in place of a bias of the logits"),
    ),
)


class Bias:
    """The adapter: `value` is (V), which `add_bias` reads, or (D), added at step `last`."""

    def __init__(self, size: int, last: int, device: torch.device) -> None:
        self.value = torch.zeros(size, device=device, requires_grad=True)
        self.last = last
        self.sites = frozenset(("mlp",) if last >= 0 else ())

    def delta(self, x: Tensor, site: str, position: int) -> Tensor:
        """The vector after the last MLP, zeros after the others."""
        return (self.value * (position == self.last)).to(x.dtype)


class Etlb:
    """`sizes`: targets of a chunk, steps, rows of a step."""

    name = "etlb"
    label = "etlb"

    def __init__(self, lr: float, clip: float, hidden: bool, sizes: tuple[int, int, int]) -> None:
        self.lr, self.clip, self.hidden = lr, clip, hidden
        self.sizes = ChunkSizes(*sizes)

    def __call__(self, session: Session, tally: Tally) -> None:
        """Score and learn in turn."""
        settings = session.settings
        size, last = settings.vocab_size, -1
        if self.hidden:
            size = settings.model_dim
            last = sum(len(part) for part in session.program.layer_plan(session.scoring_phases())) - 1
        bias = Bias(size, last, session.world.device)

        @torch.no_grad()
        def step() -> None:
            bias.value.sub_(self.lr * bias.value.grad).clamp_(-self.clip, self.clip)  # type: ignore[operator]
            bias.value.grad = None
            session.ledger.count("etlb", "steps")

        def learn(progress: float, first: int) -> None:
            learn_chunk(session, tally, self.sizes, first, [bias.value], step, bias)

        session.log(f"etlb: {walk_chunks(session, tally, self.sizes, learn, bias)}")


def add_bias(model: GPT, logits_BTV: Tensor, ids_BT: Tensor, ctx: Context) -> Tensor:
    """logits_BTV -> logits_BTV in float32; unchanged where nothing adapts."""
    bias = ctx.adapter
    return logits_BTV if bias is None else logits_BTV.float() + bias.value  # type: ignore[attr-defined]


@hookimpl
def evaluation(settings: SettingsView) -> Component:
    """The chosen windows, in chunks."""
    length, size = settings.eval_seq_len or settings.train_seq_len, settings.etlb_chunk_tokens
    settings.require(size >= length, "etlb_chunk_tokens", f"at least the window's {length} tokens")
    sizes = (size, settings.etlb_steps, size // length)
    return Component(Etlb, lr=settings.etlb_lr, clip=settings.etlb_clip, hidden=settings.etlb_hidden, sizes=sizes)


@hookimpl
def distribution_transforms(settings: SettingsView) -> Component | None:
    """After everything else that changes logits."""
    return None if settings.etlb_hidden else Component(add_bias)
