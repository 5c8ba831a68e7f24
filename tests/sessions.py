"""A session around a tiny model and a stream of tokens in memory, for tests of evaluations."""

from types import SimpleNamespace

import torch

from pgolf.runtime.distributed import World
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.session import Session
from pgolf.runtime.stages import Stages

ALONE = World(0, 1, 0, torch.device("cpu"))


class ThreeBytes:
    """Every target stands for three bytes."""

    def count(self, ids, targets, positions):
        assert ids.shape == targets.shape == positions.shape
        return torch.full_like(targets, 3)


def make_session(made, stream, world=ALONE, phases=(), **slots):
    """A session over `stream` (N,), with the model of `made` (`models.built`) and other components in some slots."""
    session = object.__new__(Session)
    session.settings, session.parameters, session.model = made.settings, made.parameters, made.model
    # An evaluation's tally is only there where the slot is filled.
    session.program = made.program._replace(**{"byte_counter": ThreeBytes(), "evaluation": object(), **slots})
    made.model.program = session.program
    session.env = SimpleNamespace(run_id="run", seed=7)
    session.world, session.ledger, session.phases, session.queues = world, Ledger(), phases, 0
    session.seq_len, session.rows = made.settings.train_seq_len, 4
    session.forward, session.log = made.model, lambda line: None
    session.stages = Stages(session.log)
    session.tokens = stream.to(torch.uint16)
    return session
