"""Calibration on text that the model writes itself: no data are read, so it may run after the clock has stopped.

    x_0 uniform over the vocabulary      x_t ~ softmax(z_{t-1} / temperature)      gptq_calib_samples sequences

Each token takes a forward of a whole batch, and of the whole length: places that are not written yet cannot be seen from
those that are. So any architecture can be asked, without a cache that its mixes of positions would have to know, rotary angles
are those of the training length, and kernels see one shape. Ranks share the sequences, and their statistics are averaged. A
sequence is made of uniform numbers of its own, by the inverse of the distribution function: it depends neither on ranks nor on
batches.

Source: openai/parameter-golf#1019 (GPTQ_AR_SELFGEN), #1204. There every rank writes all sequences, in 190 to 290 s, with
rotary angles of the length so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.context import Context
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import keyed_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from pgolf.runtime.session import Session
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="self_calibration",
    summary="Input statistics from sequences that the trained model generates.",
    source="openai/parameter-golf#1019, #1204",
    family="quantizer",
    effect="within .0003 BPB of calibration on training data; off the clock, 32 s for 64 sequences on eight GPUs (H200)",
    requires=("gptq|trellis", "hessian_all_reduce"),
    settings=(
        Setting("gptq_calib_samples", 64, "sequences that are generated, over all ranks", minimum=8),
        Setting("gptq_batch_size", 8, "sequences that a rank generates at once", minimum=1),
        Setting("gptq_temperature", 0.8, "logits are divided by it", minimum=0),
    ),
)


class SelfCalibration:
    """Calibration source."""

    reads = ""

    def __init__(self, samples: int, batch: int, temperature: float) -> None:
        self.samples = samples
        self.batch = batch
        self.temperature = temperature

    def __call__(self, session: Session) -> Iterator[Tensor]:
        """This rank's sequences ids_BT, without their last token, which nothing has read."""
        world, length = session.world, session.settings.train_seq_len
        share = self.samples // world.world_size
        for first in range(world.rank * share, (world.rank + 1) * share, self.batch):
            numbers = range(first, min(first + self.batch, (world.rank + 1) * share))
            noise = torch.stack([sequence_noise(session.env.seed, number, length) for number in numbers])
            session.ledger.count("self_calibration", "sequences", len(noise))
            yield self.generate(session, noise.to(world.device))[:, :-1]

    def generate(self, session: Session, noise: Tensor) -> Tensor:
        """ids (B,T) for uniform numbers (B,T)."""
        ids = torch.zeros_like(noise, dtype=torch.long)
        ids[:, 0] = (noise[:, 0] * session.settings.vocab_size).long()
        for place in range(1, noise.shape[1]):
            logits = next_logits(session, ids, place - 1)
            ids[:, place] = pick(logits / self.temperature, noise[:, place : place + 1])[:, 0]
        return ids


def sequence_noise(seed: int, number: int, length: int) -> Tensor:
    """The uniform numbers (length,) of one sequence, on the CPU."""
    return torch.rand(length, generator=keyed_generator(seed, f"self_calibration {number}"))


def next_logits(session: Session, ids: Tensor, place: int) -> Tensor:
    """Logits (B,V), float32, of the token after ids[:, place], under the phases of scoring."""
    model = session.model
    fields = {name: field(ids, Ledger()) for name, field in session.program.batch_fields}
    ctx = Context(ids, session.scoring_phases(), False, model.matrices(), {}, fields, None, None, None)
    return model.logits(model.hidden(ids, ctx)[:, place : place + 1], ctx)[:, 0].float()


def pick(logits: Tensor, uniform: Tensor) -> Tensor:
    """ids (B,1): the first whose cumulated probability exceeds the uniform number (B,1)."""
    below = logits.softmax(1).cumsum(1) <= uniform
    return below.sum(1, keepdim=True).clamp_max(logits.shape[1] - 1)


@hookimpl
def calibration_source(settings: SettingsView) -> Component:
    """After training, whatever the clock says."""
    whole = settings.gptq_calib_samples % 8 == 0
    settings.require(whole, "gptq_calib_samples", "a multiple of 8, so that ranks have equally many")
    settings.require(settings.gptq_temperature > 0, "gptq_temperature", "more than 0; public scripts take 0.8")
    return Component(
        SelfCalibration,
        samples=settings.gptq_calib_samples,
        batch=settings.gptq_batch_size,
        temperature=settings.gptq_temperature,
    )
