"""Sample plugin for tests: a tap, a recipe and a batch field that try before training what they need.

    schedule: the identity        recipe: int8's, for one class        field: zeros

Source: pgolf's tests.
"""

import torch

from pgolf import Component, Plugin, Setting, hookimpl
from pgolf.runtime.quantize import integer_codes, restore_tensor

PLUGIN = Plugin(
    name="prepared_parts",
    summary="Parts of every kind with a `prepare`.",
    source="pgolf tests",
    family="data",
    settings=(
        Setting("fails_on_rank", -1, "the rank whose preparation fails; -1 for none"),
        Setting("reserved", 0.0, "seconds that are reserved", minimum=0),
    ),
)


class Idle:
    """A schedule that changes nothing."""

    def __init__(self, fails_on_rank):
        self.fails_on_rank = fails_on_rank

    def prepare(self, session):
        if session.world.rank == self.fails_on_rank:
            raise OSError("no compiler found, apt-get install gcc")

    def __call__(self, progress, scalars, ledger):
        ledger.count("prepared_parts", "steps")
        return scalars


class Coarse:
    """Codes in [-7, 7]."""

    name = "coarse"

    def prepare(self, session):
        return f"recipe for sequences of {session.seq_len}"

    def encode(self, name, tensor, statistics, ledger):
        step = tensor.float().abs().amax() / 7 + 1e-9
        return {"codes": integer_codes(tensor.float(), step, 7), "step": step}

    def decode(self, name, parts, dtype):
        return restore_tensor(parts, dtype)


class Zeros:
    """(B,T) zeros."""

    def prepare(self, session):
        self.ready = True
        return f"field on {session.world.device}"

    def __call__(self, ids, ledger):
        assert self.ready
        return torch.zeros_like(ids)


@hookimpl
def schedules(settings):
    return Component(Idle, fails_on_rank=settings.fails_on_rank)


@hookimpl
def tensor_recipes(settings):
    return {"aux": Component(Coarse), "mlp": Component(Coarse)}


@hookimpl
def batch_fields(settings):
    return {"nought": Component(Zeros)}


@hookimpl
def reserve(settings):
    return settings.reserved
