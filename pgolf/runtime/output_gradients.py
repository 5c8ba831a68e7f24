"""Squared gradients of the loss at the outputs of matrices and of the embedding, without a change to the forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_tensors, keyed_generator, matrix_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.records import Param
    from pgolf.runtime.session import Session

EMBEDDING = ("embed", 0)
# That one backward pass takes at most: without compiled code every activation is kept.
TOKENS = 16384


class OutputGradients:
    """Adapter and observer of one forward: adds zeros to every output, and sums the squares of what comes back to them.

        sums[role, layer][i] = sum over tokens and uses of (dLoss / dy_i)^2
        sums["embed", 0][v] = sum over the places of token v of |dLoss / dx|^2 / D

    Layers that are used several times add up.

    Args:
        rows: (role, layer) -> rows of the matrix, for those that are wanted.
        vocab_size: of the embedding; 0 leaves it out.

    Attributes:
        sums: float64 (rows,), and (V,) for the embedding.
        uses: (role, layer) -> how many outputs the sum is over.
        root: what a backward pass has to reach.
    """

    def __init__(self, rows: Mapping[tuple[str, int], int], vocab_size: int, device: torch.device) -> None:
        self.rows = {**rows, EMBEDDING: vocab_size}
        self.sites = frozenset(role for (role, _), count in self.rows.items() if count)
        self.sums = {key: torch.zeros(count, dtype=torch.float64, device=device) for key, count in self.rows.items()}
        self.uses = dict.fromkeys(self.rows, 0)
        self.root = torch.zeros((), device=device, requires_grad=True)
        self.key = EMBEDDING
        self.ids = torch.zeros(0)

    def __call__(self, role: str, layer: int, x: Tensor) -> None:
        """The matrix whose output comes next."""
        self.key = (role, layer)

    def delta(self, x: Tensor, site: str, position: int) -> Tensor:
        """Zeros whose gradient is that of the output."""
        if site == "embed":
            return self.watch(x.shape, EMBEDDING, x.dtype)
        # A product that is not shown, such as one that a gate repeats, has no place in the sums.
        if self.key not in self.rows or self.key[0] != site:
            return x.new_zeros(())
        return self.watch((*x.shape[:-1], self.rows[self.key]), self.key, x.dtype)

    def watch(self, shape: Sequence[int], key: tuple[str, int], kind: torch.dtype) -> Tensor:
        """Zeros of that shape; nothing but the shape is kept until their gradient comes."""
        zeros = self.root.to(kind).expand(*shape)
        zeros.register_hook(lambda gradient: self.add(gradient, key))
        return zeros

    def add(self, gradient: Tensor, key: tuple[str, int]) -> None:
        """The squares of one output's gradient."""
        squares = gradient.flatten(0, -2).float().square()
        if key == EMBEDDING:
            self.sums[key].index_add_(0, self.ids.flatten(), squares.mean(1).double())
        else:
            self.sums[key] += squares.sum(0).double()
        self.uses[key] += len(squares)


def watched_rows(parameters: Sequence[Param]) -> dict[str, tuple[tuple[str, int], int]]:
    """canonical name -> ((role, layer), rows) of every stored matrix whose output the forward shows."""
    found = {}
    for name, _, record in canonical_tensors(parameters):
        shape = record.shape[bool(record.members) :]
        key = matrix_role(name, record.tap)
        if len(shape) == 2 and key[0] and record.export != "drop":
            found[name] = key, shape[0]
    return found


def differentiate(session: Session, ids: Tensor, seen: OutputGradients, samples: bool, key: str) -> None:
    """The gradients of the summed loss of ids_BT under the phases of scoring; targets are the next tokens, or samples."""
    inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    fields = {name: field(inputs, Ledger()) for name, field in session.program.batch_fields}
    phases, model = session.scoring_phases(), session.model
    if samples:
        targets = sample_targets(session, inputs, key)
    seen.ids = inputs
    with torch.enable_grad():
        losses = model(inputs, targets, phases, "none", adapter=seen, observe=seen, fields=fields)
        torch.autograd.grad(losses.sum(), [seen.root])


@torch.no_grad()
def sample_targets(session: Session, ids: Tensor, key: str) -> Tensor:
    """A token (B,T) from what the model expects after each place, by uniform numbers that depend on `key` alone."""
    model = session.model
    fields = {name: field(ids, Ledger()) for name, field in session.program.batch_fields}
    ctx = Context(ids, session.scoring_phases(), False, model.matrices(), {}, fields, None, None, None)
    logits = model.logits(model.hidden(ids, ctx), ctx).float()
    uniform = torch.rand(*ids.shape, 1, generator=keyed_generator(session.env.seed, key)).to(ids.device)
    below = logits.softmax(-1).cumsum(-1) <= uniform
    return below.sum(-1).clamp_max(logits.shape[-1] - 1)


class Gradients:
    """Batch statistics "fisher" and "lookup" of the first batches."""

    def __init__(self, batches: int, samples: bool) -> None:
        self.batches = batches
        self.samples = samples

    def __call__(self, session: Session, ids: Tensor, number: int) -> Statistics:
        """Scaled so that fisher * (e H e^T) / 2 and lookup * |e|^2 / 2 are nats per token, for H as it is collected."""
        if number >= self.batches * 8 // session.world.world_size:
            return {}
        watched = watched_rows(session.parameters)
        seen = OutputGradients(dict(watched.values()), session.settings.vocab_size, ids.device)
        rows = max(1, TOKENS // ids.shape[1])
        for place, part in enumerate(ids.split(rows)):
            key = f"sensitivity {session.world.rank} {number} {place}"
            differentiate(session, part, seen, self.samples, key)
        session.ledger.count("sensitivity", "micro-batches differentiated")
        tokens = ids.numel()
        found = {
            name: {"fisher": seen.sums[key] / max(seen.uses[key], 1) / tokens} for name, (key, _) in watched.items()
        }
        found.setdefault("tok_emb.weight", {})["lookup"] = smooth_lookup(seen.sums[EMBEDDING]) / seen.uses[EMBEDDING]
        return found


def smooth_lookup(sums: Tensor) -> Tensor:
    """Tokens that the batches hold little of have some of what the others have."""
    return sums + sums.sum() / (100 * len(sums))
