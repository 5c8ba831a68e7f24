"""Where training stands, and the scalars a step uses; schedules and phases are functions of these."""

from typing import NamedTuple


class Progress(NamedTuple):
    """Read at the top of a step.

    Attributes:
        step: steps done so far.
        iterations: the most steps there will be.
        elapsed_ms: training time so far, by the clock component.
        cap_ms: the training budget, or 0 without one.
        fraction: elapsed share of the budget: of time under a cap, else of iterations.
        lr_mul: the learning-rate multiplier of this step (1 until the schedules have run).
    """

    step: int
    iterations: int
    elapsed_ms: float
    cap_ms: float
    fraction: float
    lr_mul: float


class Scalars(NamedTuple):
    """What schedules set.

    Attributes:
        lr_mul: multiplier of every group's learning rate.
        weight_decay_mul: multiplier of every group's weight decay.
        momentum: momentum of the matrix optimizer.
    """

    lr_mul: float
    weight_decay_mul: float
    momentum: float


def never_in_training(progress: Progress) -> bool:
    """The start of a phase that begins after the last step."""
    return False


def measure_progress(step: int, iterations: int, elapsed_ms: float, cap_ms: float) -> Progress:
    """A `Progress` before the schedules have run."""
    fraction = elapsed_ms / cap_ms if cap_ms > 0 else step / max(iterations, 1)
    return Progress(step, iterations, elapsed_ms, cap_ms, fraction, 1.0)
