"""Overtone start of the token embedding: its singular values fall like the amplitudes of a string's overtones.

    E = U S V^T of the start that E has;   S_k <- S_1 k^(-1/2),  k = 1 .. D;   E <- U S V^T

Source: record 2026-03-19 "10L Muon WD Overtone" (1.1748).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="overtone_init",
    summary="Token embedding starts with singular values that fall like 1/sqrt(k).",
    source="openai/parameter-golf record 10L Muon WD Overtone",
    family="architecture",
)


def set_overtones(state: Mapping[str, Tensor], ledger: Ledger) -> None:
    """Recomposes the embedding (V, D), in float32 on the CPU, so that every rank and device starts alike."""
    table = state["tok_emb.weight"]
    left, values, right = torch.linalg.svd(table.float().cpu(), full_matrices=False)
    spectrum = values[0] * torch.arange(1, len(values) + 1).float() ** -0.5
    table.copy_(left * spectrum @ right)
    ledger.count("overtone_init", "singular values", len(values))


@hookimpl
def init_taps(settings: SettingsView) -> Component:
    """After the start that the head gives."""
    return Component(set_overtones)
