"""Before the clock starts: prove that every plugin takes part, and compile every variant the run will need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.progress import Scalars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from pgolf.runtime.records import Phase
    from pgolf.runtime.session import Session


def phase_variants(phases: Sequence[Phase]) -> list[tuple[str, ...]]:
    """Every set of phases that may be on together, each in declaration order."""
    variants: list[tuple[str, ...]] = [()]
    for spec in phases:
        variants += [(*variant, spec.name) for variant in variants]
    return variants


def probe_plugins(session: Session) -> None:
    """One eager step on a short batch with all phases on, so that the ledger sees what compiled steps will do.

    Counts uses by the forward and, per plugin, the tensors that a gradient reaches.
    """
    model, ledger = session.model, session.ledger
    x, y, fields = session.next_batch()
    x, y = x[:1, :512], y[:1, :512]
    fields = {name: value[:1, :512] for name, value in fields.items()}
    if session.program.forward_scalars:
        fields = {**fields, **session.forward_scalars}
    every_phase = tuple(spec.name for spec in session.program.phases)
    model(x, y, phases=every_phase, fields=fields, ledger=ledger).backward()
    for record in session.parameters:
        reached = sum(model.get_parameter(name).grad is not None for name in record.stored_names())
        ledger.count(record.plugin, "trained tensors", reached)
    model.zero_grad()
    if session.program.distribution_transforms:
        probe_scoring(session, x, y, every_phase, fields)


@torch.no_grad()
def probe_scoring(session: Session, x: Tensor, y: Tensor, phases: tuple[str, ...], fields: dict[str, Tensor]) -> None:
    """One eager scoring forward: counts the plugins that act then alone."""
    scoring = Ledger()
    session.model.eval()
    session.model(x, y, phases=phases, fields=fields, ledger=scoring)
    session.model.train()
    session.ledger.done = {**scoring.done, **session.ledger.done}


def warm_up(session: Session, run_step: Callable[..., Tensor]) -> None:
    """Run `warmup_steps` real steps in every variant, then restore weights, optimizer state, data and random streams.

    Weights are restored in place, so that compiled code keeps its tensors.

    Args:
        run_step: `run_step(session, optimizers, phases, scalars, ledger)`, the step that training uses.
    """
    settings = session.settings
    state = session.model.state_dict()
    saved = {name: tensor.clone() for name, tensor in state.items()}
    optimizers = Optimizers(session.program, session.model, session.parameters, session.world)
    scratch = Ledger()
    session.open_loader(scratch)
    phases = session.program.phases
    if session.program.phases_after_training:
        phases = tuple(spec for spec in phases if spec.name not in session.program.phases_after_training)
    for variant in phase_variants(phases):
        for step in range(settings.warmup_steps):
            run_step(session, optimizers, variant, Scalars(1.0, 1.0, 0.9), scratch)
            session.log(" ".join((f"warmup_step:{step + 1}/{settings.warmup_steps}", *variant)))
    for name, tensor in state.items():
        tensor.copy_(saved[name])
    torch.manual_seed(session.env.seed)
    session.open_loader(session.ledger)
