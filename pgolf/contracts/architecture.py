"""Components of the model: everything that acts in the one forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Generator, Tensor

    from pgolf.runtime.context import Context
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.model import GPT

Plan = tuple[tuple[int, ...], tuple[int, ...]]
"""Physical layers of the encoder steps and of the decoder steps."""

Lanes: TypeAlias = "tuple[Tensor, ...]"
"""Residual streams, each (B,T,D)."""


Flash: TypeAlias = "Callable[..., Tensor | tuple[Tensor, ...]]"
"""`flash_attn_func` of FlashAttention 2 or 3."""
Packed: TypeAlias = "Callable[..., Tensor | tuple[Tensor, ...]]"
"""Like `flash_attn_varlen_func` of FlashAttention 3."""


class Initializer(Protocol):
    """Start of a tensor."""

    def __call__(self, tensor: Tensor, generator: Generator, ledger: Ledger, /) -> None:
        """Fill `tensor`, float32 on the CPU, in place, from `generator` alone."""


class InitTap(Protocol):
    """Changes tensors once all have their start."""

    def __call__(self, state: Mapping[str, Tensor], ledger: Ledger, /) -> None:
        """Change tensors of the canonical `state`, on the device, in place; a function of what they hold alone."""


class LayerPlan(Protocol):
    """Order of layers."""

    name: str
    """The plugin's name, under which the walk counts its steps."""

    def __call__(self, phases: tuple[str, ...], /) -> Plan:
        """The plan while these phases are on; no torch."""


class StemTerm(Protocol):
    """Added to the token embedding."""

    def __call__(self, model: GPT, ids_BT: Tensor, ctx: Context, /) -> Tensor:
        """The addend x_BTD."""


class StemMix(Protocol):
    """Mixes positions of the embedding, raw (before its norm) or normed (before x0 is taken)."""

    def __call__(self, model: GPT, x_BTD: Tensor, ids_BT: Tensor, ctx: Context, /) -> Tensor:
        """x_BTD -> x_BTD; position t may depend on positions up to t alone."""


class BranchInput(Protocol):
    """Changes the normed input of both branches of a layer."""

    def __call__(self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context, /) -> Tensor:
        """n_BTD -> n_BTD."""


class WeightTap(Protocol):
    """View of a matrix before it is used: mix, then fake-quantize, noise, cast."""

    def __call__(self, model: GPT, weight: Tensor, role: str, layer: int, position: int, ctx: Context, /) -> Tensor:
        """(out, in) -> (out, in); `role` is "attn.c_q", ..., "mlp.proj" or "head"."""


class MatrixLayer(Protocol):
    """Which layer's matrices a step uses."""

    def __call__(self, role: str, layer: int, position: int, ctx: Context, /) -> int:
        """The layer in the name of the matrix `role`; the role "" asks for the layer whose tensors wirings use."""


class MatrixInput(Protocol):
    """Changes the activation that a matrix multiplies, such as activation quantization."""

    def __call__(self, model: GPT, x: Tensor, role: str, layer: int, position: int, ctx: Context, /) -> Tensor:
        """(B, T, in) -> (B, T, in); calibration and adapters see the result."""


class AttentionSwitch(Protocol):
    """Leaves the attention branch out of some steps."""

    def __call__(self, layer: int, position: int, ctx: Context, /) -> bool:
        """Whether the step has attention; where it has none, nothing of the branch is computed."""


class QkvProjection(Protocol):
    """Queries, keys and values of a layer."""

    def __call__(
        self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context, /
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(q_BTD, k_BTE, v_BTE) of the normed branch input, with what an adapter adds at "attn.c_q" and the others."""


class ValueTerm(Protocol):
    """Changes the values before heads are split off."""

    def __call__(self, model: GPT, v_BTE: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context, /) -> Tensor:
        """v_BTE -> v_BTE; `n_BTD` is the normed branch input."""


class Rotary(Protocol):
    """Position encoding of normed queries and of normed keys."""

    def __call__(self, model: GPT, x_BTHC: Tensor, layer: int, position: int, ctx: Context, /) -> Tensor:
        """x_BTHC -> x_BTHC; called once for queries and once for keys (K heads)."""


class QueryKeyTap(Protocol):
    """Changes queries and keys after rotation."""

    def __call__(
        self, model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context, /
    ) -> tuple[Tensor, Tensor]:
        """(q_BTHC, k_BTKC); `n_BTD` is the normed branch input."""


class AttentionKernel(Protocol):
    """Causal attention with scale 1/sqrt(C)."""

    def __call__(
        self, model: GPT, q_BTHC: Tensor, k_BTKC: Tensor, v_BTKC: Tensor, layer: int, position: int, ctx: Context, /
    ) -> Tensor:
        """y_BTHC; query head h reads key/value head h // (H/K)."""


class AttentionOutput(Protocol):
    """Changes the attention output before its projection."""

    def __call__(
        self, model: GPT, y_BTHC: Tensor, v_BTKC: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context, /
    ) -> Tensor:
        """y_BTHC -> y_BTHC; `n_BTD` is the normed branch input."""


class Mlp(Protocol):
    """Body of the MLP branch."""

    def __call__(self, model: GPT, n_BTD: Tensor, layer: int, position: int, ctx: Context, /) -> Tensor:
        """n_BTD -> x_BTD, through `model.project`."""


class MlpOutput(Protocol):
    """Changes the MLP's output before an adapter adds to it and it is scaled."""

    def __call__(self, model: GPT, y_BTD: Tensor, n_BTD: Tensor, layer: int, position: int, ctx: Context, /) -> Tensor:
        """y_BTD -> y_BTD; `n_BTD` is the normed branch input."""


class Wiring(Protocol):
    """Residual lanes: walks the plan and joins branches and skips."""

    def __call__(self, model: GPT, x_BTD: Tensor, x0_BTD: Tensor, ctx: Context, /) -> Tensor:
        """The stem's output to the final hidden state, before its norm."""


class Block(Protocol):
    """One layer of a wiring, for `pgolf.runtime.wiring.walk_plan`."""

    def __call__(self, model: GPT, lanes: Lanes, x0_BTD: Tensor, layer: int, position: int, ctx: Context, /) -> Lanes:
        """Lanes before the layer to lanes after it; their number may change."""


class Join(Protocol):
    """What a wiring does before each decoder step, for `pgolf.runtime.wiring.walk_plan`."""

    def __call__(
        self, model: GPT, lanes: Lanes, skip_BTD: Tensor | None, index: int, layer: int, ctx: Context, /
    ) -> Lanes:
        """Merge the step's skip, None where there is none left; may fork a lane. `index` counts decoder steps."""


class Skip(Protocol):
    """How a stored skip joins the stream."""

    def __call__(self, model: GPT, x_BTD: Tensor, skip_BTD: Tensor, index: int, ctx: Context, /) -> Tensor:
        """x_BTD; `index` counts decoder steps."""


class Head(Protocol):
    """Final hidden state to logits, before their taps."""

    def __call__(self, model: GPT, x_BTD: Tensor, ctx: Context, /) -> Tensor:
        """logits_BTV."""


class LogitTap(Protocol):
    """Changes logits wherever they are made, in training and scoring alike, such as a cap."""

    def __call__(self, model: GPT, logits_BTV: Tensor, ctx: Context, /) -> Tensor:
        """logits_BTV -> logits_BTV; of other heads too, such as those of an auxiliary loss."""


class Loss(Protocol):
    """Negative log-likelihood of the targets, in nats."""

    def __call__(self, model: GPT, logits_BTV: Tensor, targets_BT: Tensor, reduction: str, ctx: Context, /) -> Tensor:
        """A scalar for reduction "mean", (B,T) for "none"."""


class AuxiliaryLoss(Protocol):
    """Added to the training loss alone."""

    def __call__(self, model: GPT, x_BTD: Tensor, logits_BTV: Tensor, targets_BT: Tensor, ctx: Context, /) -> Tensor:
        """A scalar; `x_BTD` is the normed final hidden state."""
