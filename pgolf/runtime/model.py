"""The model: one forward for training, scoring, calibration and test-time training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from pgolf.runtime.context import Context
from pgolf.runtime.layers import adapt, rms_norm, tapped, use_matrix
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state, register_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from torch import Tensor

    from pgolf.contracts.evaluation import Adapter
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param
    from pgolf.runtime.settings import Settings


class GPT(nn.Module):
    """A decoder-only transformer whose tensors come from parameter records and whose parts come from the program.

    Args:
        settings: engine settings.
        program: the chosen components.
        parameters: the parameter records.
        device: where tensors live.
        activation_dtype: dtype of activations and of records with dtype "activation".

    Attributes:
        settings, program: the engine's settings, the chosen components.
        records: the parameter records.
    """

    def __init__(
        self,
        settings: Settings,
        program: Program,
        parameters: Sequence[Param],
        device: torch.device,
        activation_dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.program = program
        self.records = parameters
        register_parameters(self, parameters, device, activation_dtype)

    def matrices(self) -> dict[str, Tensor]:
        """Canonical name -> tensor, such as "blocks.3.attn.c_q.weight"; banks are unbound once per forward."""
        return canonical_state(dict(self.named_parameters()), self.records)

    def tapped_matrix(self, role: str, layer: int, position: int, ctx: Context) -> Tensor:
        """The matrix `role` of `layer` after the weight taps, for kernels that multiply on their own."""
        for choice in self.program.matrix_layers:
            layer = choice(role, layer, position, ctx)
        return tapped(self, ctx.weights[f"blocks.{layer}.{role}.weight"], role, layer, position, ctx)

    def project(self, x: Tensor, role: str, layer: int, position: int, ctx: Context) -> Tensor:
        """Apply the matrix `role` of `layer`, e.g. "attn.c_q"."""
        for choice in self.program.matrix_layers:
            layer = choice(role, layer, position, ctx)
        return use_matrix(self, ctx.weights[f"blocks.{layer}.{role}.weight"], x, role, layer, position, ctx)

    def stem(self, ids: Tensor, ctx: Context) -> Tensor:
        """Embedding, what an adapter adds to it, additive terms, raw mixes, norm, normed mixes: ids_BT -> x0_BTD."""
        x = F.embedding(ids, ctx.weights["tok_emb.weight"])
        x = adapt(x, x, "embed", 0, ctx)
        for term in self.program.stem_terms:
            x = x + term(self, ids, ctx)
        for mix in self.program.stem_raw:
            x = mix(self, x, ids, ctx)
        x = rms_norm(x)
        for mix in self.program.stem_normed:
            x = mix(self, x, ids, ctx)
        return x

    def hidden(self, ids: Tensor, ctx: Context) -> Tensor:
        """What the head reads: ids_BT -> the normed final hidden state x_BTD."""
        x = self.stem(ids, ctx)
        return rms_norm(self.program.wiring(self, x, x, ctx))

    def logits(self, x: Tensor, ctx: Context) -> Tensor:
        """The head and the taps after it: x_BTD -> logits_BTV."""
        logits = self.program.head(self, x, ctx)
        for tap in self.program.logit_taps:
            logits = tap(self, logits, ctx)
        return logits

    def forward(
        self,
        ids: Tensor,
        targets: Tensor,
        phases: tuple[str, ...] = (),
        reduction: str = "mean",
        adapter: Adapter | None = None,
        observe: Callable[[str, int, Tensor], None] | None = None,
        ledger: Ledger | None = None,
        fields: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """Loss of `targets` (B,T) given `ids` (B,T), in nats: the mean, or per token (B,T) with reduction "none".

        `phases` names the phases that are on. Batch fields that `fields` lacks are made here, so no caller can forget one. In
        training mode fake-quantization may act and auxiliary losses are added; otherwise distribution transforms are applied
        to the logits.
        """
        given = fields or {}
        missing = {
            name: field(ids, ledger or Ledger()) for name, field in self.program.batch_fields if name not in given
        }
        fields = {**missing, **given}
        ctx = Context(ids, phases, self.training, self.matrices(), {}, fields, adapter, observe, ledger)
        x = self.hidden(ids, ctx)
        logits = self.logits(x, ctx)
        if not self.training:
            for transform in self.program.distribution_transforms:
                logits = transform(self, logits, ids, ctx)
        loss = self.program.loss(self, logits, targets, reduction, ctx)
        if self.training:
            for extra in self.program.auxiliary_losses:
                loss = loss + extra(self, x, logits, targets, ctx)
        return loss
