"""Text written a token at a time by any architecture, with the keys and values of what is written kept.

A step is a forward of the last PIECE tokens. Its attention sees, through `KeptAttention`, the kept keys and values of every
token before; what else mixes positions (smears, hashed pairs, shifted keys) finds its neighbours inside the piece. Rotary
tables are those of the whole length. Which keys a kernel sees is found by asking it, so windows and documents are its own.

An architecture may look further back than a piece by other means than attention. So every written token's log-probability
is compared with that of one forward over the whole text: `Decoder.deviation`.

On a GPU a step is a CUDA graph: with a handful of tokens nearly all of its time would go into starting kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F

from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session

# Tokens of a step's forward, of which the last is new.
PIECE = 8


class Kept(NamedTuple):
    """What one call of the attention kernel has seen: keys and values (B,N,K,C), N a multiple of the text's length.

    `documents` (B,N) where the kernel keeps documents apart; a query sees `reach` keys, its own included.
    """

    keys: torch.Tensor
    values: torch.Tensor
    documents: torch.Tensor | None
    reach: int


class KeptAttention:
    """Stands in for the attention kernel. The first forward, of whole `rows` that say nothing, opens a store for each call.

    Then `begin` goes before each step's forward.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.stores: list[Kept] = []
        self.calls = 0
        self.first: Tensor | None = None
        self.place: Tensor | None = None

    def begin(self, first: Tensor, place: Tensor) -> None:
        """A step: its piece begins at `first` (1,) int64, its new token is `place` (1,)."""
        self.first, self.place, self.calls = first, place, 0

    def __call__(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Tensor:
        """y_BTHC of a piece."""
        if self.first is None or self.place is None:
            self.stores.append(self.open_store(model, q, k, v, layer, position, ctx))
            return model.program.attention_kernel(model, q, k, v, layer, position, ctx)
        kept = self.stores[self.calls]
        self.calls += 1
        # An attention core may give each token several places.
        each = q.size(1) // ctx.ids.size(1)
        some = torch.arange(each, device=q.device)
        new, inside = self.place * each + some, (self.place - self.first) * each + some
        kept.keys.index_copy_(1, new, k.index_select(1, inside))
        kept.values.index_copy_(1, new, v.index_select(1, inside))
        query = self.first * each + torch.arange(q.size(1), device=q.device)
        distance = query[:, None] - torch.arange(kept.keys.size(1), device=q.device)
        mask = (distance >= 0) & (distance < kept.reach)
        if kept.documents is not None:
            documents = ctx.fields["documents"]
            kept.documents.index_copy_(1, new, documents.index_select(1, inside))
            mask = mask & (documents[:, None, :, None] == kept.documents[:, None, None, :])
        return attend_grouped(q, kept.keys, kept.values, mask)

    def open_store(self, model: GPT, q: Tensor, k: Tensor, v: Tensor, layer: int, position: int, ctx: Context) -> Kept:
        """Room for all keys, and what the kernel sees: where scores are equal, a query returns the mean of its values."""
        length = k.size(1)
        fields = dict(ctx.fields)
        documents = fields.pop("documents", None)
        ask = ctx._replace(memo={}, fields=fields)
        blank_q, blank_k, marked = torch.zeros_like(q), torch.zeros_like(k), torch.zeros_like(v)
        marked[:, 0] = 1
        kernel = model.program.attention_kernel
        reach = int((kernel(model, blank_q, blank_k, marked, layer, position, ask)[0, :, 0, 0] > 0).sum())
        if documents is not None:
            half = length // 2
            fields["documents"] = (torch.arange(length, device=q.device) >= half).long()[None]
            marked = torch.zeros_like(v)
            marked[:, half - 1] = 1
            y = kernel(model, blank_q, blank_k, marked, layer, position, ask._replace(memo={}))
            apart = not bool(y[0, half, 0, 0] > 0)
            documents = documents.new_zeros(self.rows, length) if apart else None
        keys, values = (x.new_zeros(self.rows, *x.shape[1:]) for x in (k, v))
        return Kept(keys, values, documents, reach)


def attend_grouped(q_BTHC: Tensor, k_BNKC: Tensor, v_BNKC: Tensor, mask: Tensor) -> Tensor:
    """Attention where `mask`, (T,N) or (B,1,T,N) bool, is true. A group of heads becomes queries of one: no key is copied."""
    groups = k_BNKC.size(2)
    each = q_BTHC.size(2) // groups
    q = torch.unflatten(q_BTHC, 2, (groups, each)).transpose(1, 2).flatten(2, 3)
    mask = mask.repeat_interleave(each, -2)
    y = F.scaled_dot_product_attention(q, k_BNKC.transpose(1, 2), v_BNKC.transpose(1, 2), attn_mask=mask)
    return torch.unflatten(y, 2, (-1, each)).transpose(1, 2).flatten(2, 3)


def open_context(session: Session, ids: Tensor, fields: dict[str, Any], memo: dict[Any, Any]) -> Context:
    """A forward of ids_BT under the phases of scoring."""
    return Context(ids, session.scoring_phases(), False, session.model.matrices(), memo, fields, None, None, None)


def make_fields(session: Session, ids: Tensor) -> dict[str, Any]:
    """The batch fields of ids_BT."""
    return {name: field(ids, Ledger()) for name, field in session.program.batch_fields}


class Decoder:
    """Writes ids (B,T): the first token uniform, each next from softmax(logits / temperature), by uniform numbers (B,T).

    Attributes:
        ids: what is written, (B,T).
        surprise: log-probability of every token but the first as it was drawn, (B,T) in nats.
    """

    def __init__(self, session: Session, noise: Tensor, temperature: float) -> None:
        self.run_session = session
        self.noise = noise
        self.temperature = temperature
        self.ids = torch.zeros_like(noise, dtype=torch.long)
        self.ids[:, 0] = (noise[:, 0] * session.settings.vocab_size).long()
        self.surprise = torch.zeros_like(noise)
        self.place = self.ids.new_zeros(1)
        self.attention = KeptAttention(len(noise))
        row = self.ids[:1]
        ctx = open_context(session, row, {**make_fields(session, row), "attention": self.attention}, {})
        session.model.hidden(row, ctx)
        self.rotations = ctx.memo.get("rope", ())

    def write(self) -> Tensor:
        """All tokens; returns `ids`."""
        steps = self.noise.size(1) - 1
        if self.noise.is_cuda and steps > 3:
            steps = self.write_by_graph(steps)
        for _ in range(steps):
            self.step()
        return self.ids

    def write_by_graph(self, steps: int) -> int:
        """As many steps; returns those that are left, because something in the forward cannot be captured."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):  # kernels are chosen
                self.step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self.step()
        except RuntimeError as error:
            self.run_session.log(f"decoding without a CUDA graph: {str(error).splitlines()[0]}")
            return steps - 3
        for _ in range(steps - 3):
            graph.replay()
        return 0

    def step(self) -> None:
        """Draws the token after `place`, and moves there; nothing here waits for the device."""
        model = self.run_session.model
        piece = min(PIECE, self.ids.size(1))
        first = (self.place - (piece - 1)).clamp_min(0)
        at = first + torch.arange(piece, device=first.device)
        self.attention.begin(first, self.place)
        ids = self.ids.index_select(1, at)
        fields = {name: field.index_select(1, at) for name, field in make_fields(self.run_session, self.ids).items()}
        memo = {"rope": tuple(table.index_select(0, at) for table in self.rotations)} if self.rotations else {}
        ctx = open_context(self.run_session, ids, {**fields, "attention": self.attention}, memo)
        x = model.hidden(ids, ctx).index_select(1, self.place - first)
        logits = model.logits(x, ctx)[:, 0].float() / self.temperature
        self.place.add_(1)
        chosen = pick(logits, self.noise.index_select(1, self.place))
        self.ids.index_copy_(1, self.place, chosen)
        self.surprise.index_copy_(1, self.place, logits.log_softmax(1).gather(1, chosen))

    def deviation(self, rows: int) -> float:
        """Mean absolute difference, in nats, of the log-probabilities from those of whole forwards of `rows` at once."""
        total = 0.0
        for first in range(0, len(self.ids), rows):
            ids = self.ids[first : first + rows]
            ctx = open_context(self.run_session, ids, make_fields(self.run_session, ids), {})
            logits = self.run_session.model.logits(self.run_session.model.hidden(ids, ctx)[:, :-1], ctx).float()
            found = (logits / self.temperature).log_softmax(2).gather(2, ids[:, 1:, None])[..., 0]
            total += (found - self.surprise[first : first + rows, 1:]).abs().sum().item()
        return total / self.ids[:, 1:].numel()


def pick(logits: Tensor, uniform: Tensor) -> Tensor:
    """ids (B,1): the first whose cumulated probability exceeds the uniform number (B,1)."""
    below = logits.softmax(1).cumsum(1) <= uniform
    return below.sum(1, keepdim=True).clamp_max(logits.shape[1] - 1)
