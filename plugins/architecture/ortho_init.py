"""Orthogonal start of every matrix with both sides of at least 64: W W^T = I or W^T W = I, gain 1.

Smaller matrices keep the uniform start. Matrices that declare a start of their own (zero output projections) keep it; the
bigram and value-embedding projections declare none on purpose, since a zero table times a zero projection cannot learn.

Source: record 2026-03-19_smeargate_orthoinit_muonwd; banked form of PR #1019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="ortho_init",
    summary="Matrices start orthogonal.",
    source="openai/parameter-golf record 2026-03-19_smeargate_orthoinit_muonwd",
    family="architecture",
    effect="about -0.001 BPB early in training",
)


def orthogonal_or_uniform(tensor: Tensor, generator: Generator, ledger: Ledger) -> None:
    """Fill a (out, in) matrix."""
    if min(tensor.shape) >= 64:
        nn.init.orthogonal_(tensor, generator=generator)
        ledger.count("ortho_init", "orthogonal matrices")
    else:
        bound = tensor.shape[-1] ** -0.5
        tensor.uniform_(-bound, bound, generator=generator)


@hookimpl
def initializer(settings: SettingsView) -> Component:
    """For every matrix without a start of its own."""
    settings.require(settings.model_dim >= 64, "model_dim", "at least 64: smaller matrices do not start orthogonal")
    return Component(orthogonal_or_uniform)
