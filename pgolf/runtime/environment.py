"""What may vary from run to run: eight environment variables, torchrun's own, and the words "score" and "export"."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pgolf.runtime.settings import Settings


class Environment(NamedTuple):
    """Values of one run.

    Attributes:
        data_path: folder of shards.
        export: whether the artifact is made from the weights that a run has saved in the working directory.
        iterations: the most steps.
        max_wallclock_seconds: training budget; 0 means none.
        run_id: name of the log.
        score: whether the artifact in the working directory is scored instead of training.
        seed: seed of initialisation.
        tokenizer_path: SentencePiece model.
        train_log_every, val_loss_every: steps between training lines and between validations.
    """

    data_path: str
    export: bool
    iterations: int
    max_wallclock_seconds: float
    run_id: str
    score: bool
    seed: int
    tokenizer_path: str
    train_log_every: int
    val_loss_every: int


def read_number(name: str, default: float, kind: Callable[[Any], float]) -> Any:
    """The variable `name`, or `default`, as an int or a float; ValueError for what is no such number."""
    text = os.environ.get(name, default)
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, wanted a value like {default!r}") from None


def read_environment(settings: Settings) -> Environment:
    """The environment over the settings' literals; ValueError where a variable is no number."""
    get = os.environ.get
    return Environment(
        data_path=get("DATA_PATH", settings.data_path),
        export="export" in sys.argv,
        iterations=read_number("ITERATIONS", settings.iterations, int),
        max_wallclock_seconds=read_number("MAX_WALLCLOCK_SECONDS", settings.max_wallclock_seconds, float),
        run_id=get("RUN_ID", str(time.time_ns())),
        score="score" in sys.argv,
        seed=read_number("SEED", settings.seed, int),
        tokenizer_path=get("TOKENIZER_PATH", settings.tokenizer_path),
        train_log_every=read_number("TRAIN_LOG_EVERY", settings.train_log_every, int),
        val_loss_every=read_number("VAL_LOSS_EVERY", settings.val_loss_every, int),
    )
