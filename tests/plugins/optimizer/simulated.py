"""Stand-ins for the training program: a program with optimizer slots only."""

from functools import partial
from types import SimpleNamespace

import torch
from thread_group import ThreadGroup

from pgolf.runtime.distributed import World
from pgolf.runtime.optimize import CompiledOrthogonalizer
from pgolf.runtime.progress import Scalars
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

__all__ = ["ALONE", "CPU", "ThreadGroup", "newton_schulz", "program", "scalars"]

CPU = torch.device("cpu")
ALONE = World(0, 1, 0, CPU)


def newton_schulz(scale_first):
    """The plugin's component: A^2 as (cA)A, or as c(AA)."""
    return CompiledOrthogonalizer("newton_schulz", partial(iterate_newton_schulz, scale_first=scale_first))


def program(**fields):
    """A program of optimizer slots and taps."""
    return SimpleNamespace(
        **{
            "orthogonalizer": newton_schulz(True),
            "row_blocks": None,
            "matrix_rate": None,
            "element_stream": None,
            "orthogonal_taps": (),
            "gradient_taps": (),
            "mean_gradient_taps": (),
            "update_taps": (),
            "apply_taps": (),
            **fields,
        }
    )


def scalars(lr_mul=1.0, momentum=0.95, weight_decay_mul=1.0):
    """The scalars of one step."""
    return Scalars(lr_mul, weight_decay_mul, momentum)
