"""Calibration on text that the model writes itself: no data are read, so it may run after the clock has stopped.

    x_0 uniform over the vocabulary      x_t ~ softmax(z_{t-1} / temperature)      gptq_calib_samples sequences

A rank writes its share of the sequences side by side, with keys and values kept (`Decoder`). That serves any architecture
whose positions meet in attention or nearby; whether they do is seen from the log-probabilities, and where they do not, each
token takes a forward of the whole length. A sequence is made of uniform numbers of its own, by the inverse of the
distribution function: it depends neither on ranks nor on batches. Statistics of all ranks are averaged.

Source: openai/parameter-golf#1019 (GPTQ_AR_SELFGEN), #1204. There every rank writes all sequences, without a cache, in 190
to 290 s, and with rotary angles of the length so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf import Component, Conflict, Plugin, Setting, hookimpl
from pgolf.runtime.decode import Decoder, make_fields, open_context, pick
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
    effect="within .0003 BPB of calibration on training data; off the clock, 6 s for 64 sequences on one GPU or eight (H200)",
    requires=("gptq|trellis", "hessian_all_reduce"),
    conflicts=(
        Conflict(
            "ntk_rope",
            "short texts turn with another base than training's (within .0003 BPB all the same, #1019)",
            hard=False,
        ),
    ),
    settings=(
        Setting("gptq_calib_samples", 64, "sequences that are generated, over all ranks", minimum=8),
        Setting(
            "gptq_batch_size",
            8,
            "sequences whose statistics are taken at once; they are written up to 64 at once",
            minimum=1,
        ),
        Setting("gptq_temperature", 0.8, "logits are divided by it", minimum=0),
    ),
)


# Sequences that are written side by side, at most: their keys and values take about 25 MB each at a record's size.
SIDE_BY_SIDE = 64
# Nats by which a log-probability may differ, in the mean, from that of a whole forward; bfloat16 alone makes about .02.
DEVIATION = 0.1


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
        end = (world.rank + 1) * share
        for first in range(end - share, end, SIDE_BY_SIDE):
            numbers = range(first, min(first + SIDE_BY_SIDE, end))
            noise = torch.stack([sequence_noise(session.env.seed, number, length) for number in numbers])
            session.ledger.count("self_calibration", "sequences", len(noise))
            ids = self.generate(session, noise.to(world.device))
            yield from ids[:, :-1].split(self.batch)

    def generate(self, session: Session, noise: Tensor) -> Tensor:
        """ids (B,T) for uniform numbers (B,T)."""
        decoder = Decoder(session, noise, self.temperature)
        ids = decoder.write()
        deviation = decoder.deviation(self.batch)
        if deviation < DEVIATION:
            return ids
        session.ledger.count("self_calibration", "sequences without a cache", len(noise))
        session.log(f"self_calibration: with kept keys scores are {deviation:.3f} nats off: whole forwards")
        return torch.cat([self.generate_slowly(session, part) for part in noise.split(self.batch)])

    def generate_slowly(self, session: Session, noise: Tensor) -> Tensor:
        """The same by forwards of the whole length: what is not written yet cannot be seen, and kernels see one shape."""
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
    ctx = open_context(session, ids, make_fields(session, ids), {})
    return session.model.logits(session.model.hidden(ids, ctx)[:, place : place + 1], ctx)[:, 0].float()


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
