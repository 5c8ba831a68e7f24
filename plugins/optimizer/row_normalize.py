"""Rows of an update get length one before it is orthogonalized (MuonEq-R).

    U[i] <- U[i] / max(|U[i]|_2, 1e-7)

Orthogonalization is exact only in the limit: rows that start at equal length come out more alike after five steps. The lengths
are taken in float32. It comes after Nesterov and before heads are paired and the Frobenius norm is divided out.

Source: openai/parameter-golf#1217; in #1285, #1334 and the records from #1394 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="row_normalize",
    summary="Normalises the rows of every matrix update before it is orthogonalized.",
    source="openai/parameter-golf#1217",
    family="optimizer",
    effect="-0.001 to -0.0015 BPB (claim of #1217)",
)


def normalize_rows(update: Tensor, names: Names, ledger: Ledger) -> Tensor:
    """(..., rows, columns) in the dtype that it has."""
    ledger.count("row_normalize", "updates")
    lengths: Tensor = update.float().norm(dim=-1, keepdim=True).clamp_min(1e-7)
    return update / lengths.to(update.dtype)


@hookimpl
def update_taps(settings: SettingsView) -> Component:
    """Every matrix."""
    return Component(normalize_rows)
