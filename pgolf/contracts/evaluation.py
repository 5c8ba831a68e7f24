"""Components that decide how validation text is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.documents import Document
    from pgolf.runtime.evaluate import Span
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT
    from pgolf.runtime.session import Session
    from pgolf.runtime.tally import Tally


class Windows(Protocol):
    """Which targets are scored with which context."""

    name: str
    label: str
    """What the final log line calls the score; "" for the windows of validation."""

    def spans(self, num_tokens: int, seq_len: int, /) -> list[Span]:
        """Windows that cover every target once."""


class Evaluation(Protocol):
    """A whole evaluation: order, batches, resets, updates and collectives are its own, numbers come from the tally.

    It runs on every rank, in eval mode, with all base weights frozen. From the session it reads `tokens` (the validation
    stream, uint16, never to be written), `world`, `ledger`, `log`, `env.seed`; `share_work(count)` divides work over the
    ranks, `thaw()` and `freeze()` say whether base weights have gradients. The tally has `score`, `learn`, `replay`,
    `share` (a barrier) and `seconds_left`.
    """

    name: str
    """The plugin's name, under which the scored targets are counted."""
    label: str
    """What the final log line calls the score."""

    def __call__(self, session: Session, tally: Tally, /) -> None:
        """Score every target once, on all ranks together."""


class BaseUpdate(Protocol):
    """Trains base weights in the middle of an evaluation that goes document by document."""

    name: str

    def boundaries(self, count: int, /) -> list[int]:
        """After how many scored documents of `count` it acts, rising."""

    def __call__(self, session: Session, tally: Tally, documents: list[Document], /) -> None:
        """Learn from these documents, which are scored and shared, on all ranks together; weights stay equal on all."""


class AdapterOptimizer(Protocol):
    """Makes the optimizer of an adapter's factors, anew for every group of documents."""

    def __call__(self, factors: list[Tensor], ledger: Ledger, /) -> Stepper:
        """Factors are every A (rows, r, in), then every B (rows, out, r), float32, each row of a document of its own."""


class Stepper(Protocol):
    """Changes factors by their gradients; `torch.optim.Optimizer` is one."""

    def zero_grad(self) -> None:
        """Drop the gradients."""

    def step(self) -> object:
        """One update, in place."""


class Adapter(Protocol):
    """Low-rank or other additions to the one forward, at declared sites."""

    sites: frozenset[str]
    """Roles of matrices ("attn.c_q", ..., "mlp.proj", "head"), branches ("attn", "mlp"), and "embed"."""

    def delta(self, x: Tensor, site: str, position: int, /) -> Tensor:
        """Added to the output of a matrix, or of a whole branch, whose input is `x`.

        For "head" and "embed" `position` is 0; "embed" is the embedding of the tokens, and `x` is that itself.
        """


class DistributionTransform(Protocol):
    """Changes logits when scoring."""

    def __call__(self, model: GPT, logits_BTV: Tensor, ids_BT: Tensor, ctx: Context, /) -> Tensor:
        """logits_BTV -> logits_BTV; renormalized after."""


class TrainFit(Protocol):
    """Sets a tensor of its own from training text, once the weights are final and while the clock runs.

    It runs on every rank, in eval mode; batches come from `session.next_batch()`, each rank its own. The tensor is one of a
    `Param` with `average=False` and must be equal on all ranks, so the artifact holds it. The run fails where it ends after the
    budget: its plugin gives a `reserve`.
    """

    def __call__(self, session: Session, /) -> None:
        """Fit, and set the tensor in place."""


class StreamField(Protocol):
    """A value for each place of the validation stream, which scoring forwards see as `ctx.fields[name]` of each target.

    It is asked for once the artifact is decoded, on every rank; forwards before that, and those that learn again from what is
    scored, lack the field. The run ends if a value depends on its own token or on a later one.
    """

    def __call__(self, tokens: Tensor, device: torch.device, ledger: Ledger, /) -> Tensor:
        """tokens (N,), uint16 on the CPU, never to be written -> (N,) on the CPU; the value at t depends on tokens before t."""
