"""Input statistics of matrices, for quantizers that use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from pgolf.runtime.parameters import canonical_tensors, matrix_role
from pgolf.runtime.quantize import KEPT_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from pgolf.contracts.quantizer import Statistics
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param
    from pgolf.runtime.session import Session


class HessianObserver:
    """Sums X^T X of every (role, layer) it is shown; repeats of a layer add up.

    Products are float32 and sums float64, so that a sum hardly depends on how ranks share the batches.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[str, int], torch.Tensor] = {}

    def __call__(self, role: str, layer: int, x: Tensor) -> None:
        x = x.flatten(0, -2).float()
        product = (x.T @ x).double()
        key = (role, layer)
        self.sums[key] = self.sums[key].add_(product) if key in self.sums else product


@torch.no_grad()
def collect_statistics(session: Session) -> tuple[Statistics, int]:
    """canonical tensor name -> {"hessian": sum of X^T X over batches, divided by their number, float32}; their number.

    Runs the uncompiled forward in eval mode under the scoring phases, so windows, gates and loops are those of scoring.

    Raises:
        ValueError: when the source gives no batch.
    """
    program = session.program
    observer = HessianObserver()
    gathered: dict[str, dict[str, tuple[Tensor, int]]] = {}
    count = 0
    session.model.eval()
    for ids in program.calibration_source(session):  # type: ignore[misc]  # there is one, or nobody calls this
        observe_batch(session, ids, session.scoring_phases(), observer)
        for more in program.batch_statistics:
            gather(gathered, more(session, ids, count))
        count += 1
        session.stages.say(f"calibration: batch {count}")
    session.model.train()
    if not count:
        raise ValueError("calibration found no batch of tokens")
    found = {}
    for name, _, record in canonical_tensors(session.parameters):
        key = matrix_role(name, record.tap)
        if key in observer.sums:
            found[name] = {"hessian": observer.sums[key] / count}
    if program.batch_statistics:
        for name, sums in gathered.items():
            found.setdefault(name, {}).update({key: total / number for key, (total, number) in sums.items()})
    for tap in program.statistics_taps:
        found = tap(found, session.world, session.ledger)
    return {name: {key: value.float() for key, value in known.items()} for name, known in found.items()}, count


def gather(gathered: dict[str, dict[str, tuple[Tensor, int]]], more: Statistics) -> None:
    """Add the statistics of a batch to the sums in `gathered`, each with the number of batches that had it."""
    for name, known in more.items():
        sums = gathered.setdefault(name, {})
        for key, value in known.items():
            total, number = sums.get(key, (0.0, 0))
            sums[key] = total + value.double(), number + 1


def observe_batch(session: Session, ids: Tensor, phases: tuple[str, ...], observer: HessianObserver) -> None:
    """One forward of ids_BT, which makes the extra tensors that the model may read."""
    session.model(ids, ids, phases=phases, observe=observer)


def calibrated_names(parameters: Sequence[Param], program: Program) -> list[str]:
    """Tensors that cannot be encoded without input statistics: large matrices of the classes that need them."""
    return [
        name
        for name, _, record in canonical_tensors(parameters)
        if record.quant in program.calibrated
        and record.export != "drop"
        and len(record.shape[bool(record.members) :]) == 2
        and record.shape[-1] * record.shape[-2] > KEPT_ELEMENTS
    ]


@torch.no_grad()
def check_statistics(session: Session) -> None:
    """Before any training: does the forward show the input of every matrix that needs statistics, and of one alone?

    Raises:
        ValueError: for a matrix without an observed input, or two that stand for the same one.
    """
    observer = HessianObserver()
    owners: dict[tuple[str, int], str] = {}
    session.model.eval()
    phases = tuple(spec.name for spec in session.program.phases if spec.scoring)
    observe_batch(session, session.next_batch()[0][:1, :64], phases, observer)
    session.model.train()
    wanted = calibrated_names(session.parameters, session.program)
    for name, _, record in canonical_tensors(session.parameters):
        key = matrix_role(name, record.tap)
        if name in wanted and key not in observer.sums:
            raise ValueError(f"{name} needs input statistics, and the forward uses no matrix under its role {key[0]!r}")
        if name in wanted and key in owners:
            raise ValueError(f"{name} and {owners[key]} have the same role {key[0]!r}: wanted one matrix for each")
        owners[key] = name
