"""Calibration on training data: input statistics from the next batches of the training stream, while the clock runs.

    each rank: its share of `gptq_calibration_batches` whole batches, inputs only; training stops at
    max_wallclock_seconds - gptq_reserve_seconds to leave the time

The batches come after those that training has used. However many ranks there are, together they see the same sequences.

Source: openai/parameter-golf#1060, #1218; 16 batches in #1394 and later, 64 before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="train_calibration",
    summary="Input statistics from training batches, in time that is kept from training.",
    source="openai/parameter-golf#1060, #1394",
    family="quantizer",
    effect="3.5 to 7 s for 16 batches on 8 H100, 12 s for 64",
    requires=("gptq|trellis",),
    settings=(
        Setting("gptq_calibration_batches", 16, "batches of train_batch_tokens that are looked at", minimum=1),
        Setting("gptq_reserve_seconds", 12.0, "seconds of the budget that are kept for it", minimum=0),
    ),
)


class TrainCalibration:
    """Calibration source."""

    reads = "train"

    def __init__(self, batches: int) -> None:
        self.batches = batches

    def __call__(self, session: Session) -> Iterator[Tensor]:
        """This rank's micro-batches ids_BT."""
        for _ in range(self.batches * 8 // session.world.world_size):
            session.ledger.count("train_calibration", "micro-batches")
            yield session.next_batch()[0]


@hookimpl
def calibration_source(settings: SettingsView) -> Component:
    """The training stream goes on."""
    return Component(TrainCalibration, batches=settings.gptq_calibration_batches)


@hookimpl
def reserve(settings: SettingsView) -> float:
    """As long as the batches take."""
    return float(settings.gptq_reserve_seconds)
