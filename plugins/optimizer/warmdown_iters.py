"""Warm-down that times itself: the learning rate falls linearly to zero over the last WARMDOWN_ITERS steps.

Under a time cap the end is not a step but a moment, so the length is estimated from the average step so far:

    span = WARMDOWN_ITERS * elapsed / max(step, 1)        mul = remaining / span  where remaining <= span, else 1

Without a cap: mul = (ITERATIONS - step) / WARMDOWN_ITERS in the last WARMDOWN_ITERS steps, else 1. A span beyond the
whole run decays from the first step on.

Source: the baseline script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, Setting, hookimpl

if TYPE_CHECKING:
    from pgolf.runtime.ledger import Ledger
    from pgolf.runtime.progress import Progress, Scalars
    from pgolf.settings import SettingsView

PLUGIN = Plugin(
    name="warmdown_iters",
    summary="Linear learning-rate warm-down over a number of steps, estimated from the clock under a time cap.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="optimizer",
    settings=(Setting("warmdown_iters", 1200, "steps over which the learning rate falls to zero", minimum=0),),
)


def warmdown_multiplier(progress: Progress, length: int) -> float:
    """The learning-rate multiplier at `progress`."""
    if length <= 0:
        return 1.0
    if progress.cap_ms > 0:
        span = length * (progress.elapsed_ms / max(progress.step, 1))
        return min(max(progress.cap_ms - progress.elapsed_ms, 0.0) / max(span, 1e-9), 1.0)
    left = progress.iterations - progress.step
    return left / length if 0 < left <= length else 1.0


def warmdown_schedule(progress: Progress, scalars: Scalars, ledger: Ledger, length: int) -> Scalars:
    """Multiply the learning-rate multiplier by the warm-down's."""
    multiplier = warmdown_multiplier(progress, length)
    ledger.note("warmdown_iters", f"multiplier {multiplier:.4f} at step {progress.step}")
    return scalars._replace(lr_mul=scalars.lr_mul * multiplier)


@hookimpl
def schedules(settings: SettingsView) -> Component:
    """The same length under a cap and without."""
    return Component(warmdown_schedule, length=settings.warmdown_iters)
