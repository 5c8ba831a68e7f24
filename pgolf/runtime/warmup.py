"""Before the clock starts: prove that every plugin takes part, and compile every variant the run will need."""

import itertools

import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.parameters import stored_names
from pgolf.runtime.progress import Scalars


def phase_variants(names):
    """Every set of phases that may be on together, in declaration order."""
    return [variant for size in range(len(names) + 1) for variant in itertools.combinations(names, size)]


def probe_plugins(session):
    """One eager step on a short batch with all phases on, so that the ledger sees what compiled steps will do.

    Counts uses by the forward and, per plugin, the tensors that a gradient reaches.
    """
    model, ledger = session.model, session.ledger
    session.open_loader(Ledger())
    x, y, fields = session.next_batch()
    length = min(x.size(1), 512)
    x, y = x[:1, :length], y[:1, :length]
    fields = {name: value[:1, :length] for name, value in fields.items()}
    every_phase = tuple(spec.name for spec in session.program.phases)
    model(x, y, phases=every_phase, ledger=ledger, fields=fields).backward()
    tensors = dict(model.named_parameters())
    for record in session.parameters:
        reached = sum(tensors[name].grad is not None for name in stored_names(record))
        ledger.count(record.plugin, "trained tensors", reached)
    model.zero_grad(set_to_none=True)
    if session.program.distribution_transforms:
        probe_scoring(session, x, y, every_phase, fields)


@torch.no_grad()
def probe_scoring(session, x, y, phases, fields):
    """One eager scoring forward: counts the plugins that act then alone."""
    scoring = Ledger()
    session.model.eval()
    session.model(x, y, phases=phases, ledger=scoring, fields=fields)
    session.model.train()
    for name, counts in scoring.counts.items():
        session.ledger.counts.setdefault(name, counts)


@torch.no_grad()
def restore_tensors(model, snapshot):
    """Write saved values back, in place, so that compiled code keeps its tensors."""
    for tensor, saved in zip(model.parameters(), snapshot, strict=True):
        tensor.copy_(saved)


def warm_up(session, run_step):
    """Run `warmup_steps` real steps in every variant, then restore weights, optimizer state and the data stream.

    Args:
        run_step: `run_step(session, optimizers, phases, scalars, ledger)`, the step that training uses.
    """
    settings, model = session.settings, session.model
    variants = phase_variants([spec.name for spec in session.program.phases])
    snapshot = [tensor.detach().clone() for tensor in model.parameters()]
    optimizers = Optimizers(session.program, model, session.parameters, session.world)
    scratch = Ledger()
    session.open_loader(scratch)
    for variant in variants:
        for step in range(settings.warmup_steps):
            run_step(session, optimizers, variant, Scalars(1.0, 1.0, 0.9), scratch)
            session.log(f"warmup_step:{step + 1}/{settings.warmup_steps}" + "".join(" " + name for name in variant))
    restore_tensors(model, snapshot)
    session.open_loader(session.ledger)
