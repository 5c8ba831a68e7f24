"""No weight averaging: the weights of the last step are the model.

Source: the baseline script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from pgolf.contracts.optimizer import Names
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="no_average",
    summary="Keeps the weights of the last step.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="optimizer",
)


class NoAverage:
    """`pgolf.contracts.optimizer.Average` that changes nothing."""

    def start(self, tensors: Sequence[Tensor], names: Sequence[Names]) -> None:
        """Nothing to keep."""

    def update(self, tensors: Sequence[Tensor], steps: int, scalars: Scalars) -> None:
        """Nothing to add."""

    def apply(self, tensors: Sequence[Tensor], ledger: Ledger) -> None:
        """Leave the live tensors as they are."""
        ledger.note("no_average", "last weights")


@hookimpl
def average(settings: SettingsView) -> Component:
    """The last weights."""
    return Component(NoAverage)
