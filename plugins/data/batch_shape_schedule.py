"""Shorter sequences, smaller batches, or both, until a share of the budget has passed; then the full ones.

    sequences of seq_len_start tokens before seq_schedule_fraction, then of train_seq_len
    steps of batch_tokens_start tokens before batch_schedule_fraction, then of train_batch_tokens

Each change is a phase, so that every shape is compiled before the clock starts. 0 leaves a size alone.

Source: the record of 2026-03-24, 74M Ternary (sequences); experiments on openai/parameter-golf PR #1493 (batches).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pgolf import Component, Phase, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.progress import Progress
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="batch_shape_schedule",
    summary="Shorter sequences or smaller batches until a share of the budget has passed.",
    source="openai/parameter-golf, record 2026-03-24 74M Ternary",
    family="data",
    effect="sequences: -0.0005 BPB at 1500 steps, off in the record; batches: harmful",
    settings=(
        Setting("seq_len_start", 512, "tokens of a sequence at first; 0 takes train_seq_len", minimum=0),
        Setting(
            "seq_schedule_fraction", 0.33, "share of the budget after which sequences are full", minimum=0, below=1
        ),
        Setting("batch_tokens_start", 0, "tokens of a step at first; 0 takes train_batch_tokens", minimum=0),
        Setting("batch_schedule_fraction", 0.33, "share of the budget after which steps are full", minimum=0, below=1),
    ),
)
MICRO_BATCHES = 8


class BatchShapeSchedule:
    """phases -> (tokens of a step, tokens of a sequence); each pair of sizes is (at first, in full)."""

    def __init__(self, tokens: tuple[int, int], seq_len: tuple[int, int]) -> None:
        self.tokens = tokens
        self.seq_len = seq_len

    def __call__(self, phases: tuple[str, ...]) -> tuple[int, int]:
        return self.tokens["full_batch" in phases], self.seq_len["full_length" in phases]


def share_has_passed(progress: Progress, at: float) -> bool:
    """True from the given share of the training budget on."""
    return progress.fraction >= at


@hookimpl
def batch_shape(settings: SettingsView) -> Component:
    """What phases have not begun leave small."""
    seq_len, tokens = settings.seq_len_start, settings.batch_tokens_start
    settings.require(seq_len > 0 or tokens > 0, "seq_len_start", "more than 0, or batch_tokens_start more than 0")
    seq_lens = (seq_len or settings.train_seq_len, settings.train_seq_len)
    batches = (tokens or settings.train_batch_tokens, settings.train_batch_tokens)
    settings.require(seq_lens[0] <= seq_lens[1], "seq_len_start", f"at most train_seq_len={seq_lens[1]}")
    whole = math.lcm(*seq_lens) * MICRO_BATCHES
    for name, size in (("seq_len_start", batches[1]), ("batch_tokens_start", batches[0])):
        fits = size % whole == 0
        settings.require(fits, name, f"a size with which each of {MICRO_BATCHES} micro-batches is whole sequences")
    return Component(BatchShapeSchedule, tokens=batches, seq_len=seq_lens)


@hookimpl
def phases(settings: SettingsView) -> list[Phase]:
    """One for each size that changes."""
    length = Phase("full_length", Component(share_has_passed, at=settings.seq_schedule_fraction))
    batch = Phase("full_batch", Component(share_has_passed, at=settings.batch_schedule_fraction))
    return [length] * (settings.seq_len_start > 0) + [batch] * (settings.batch_tokens_start > 0)
