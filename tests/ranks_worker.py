"""One rank of ten training steps: `ranks_worker.py ENTRY OUT` saves the first update, and hashes of all after the last."""

import hashlib
import sys
from pathlib import Path

import torch

from pgolf.resolve import load_entry
from pgolf.runtime.distributed import start_world, stop_world
from pgolf.runtime.environment import read_environment
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.progress import Scalars
from pgolf.runtime.session import Session
from pgolf.runtime.train import read_schedules, run_step


def main(entry, out):
    """Averaged weights are live at the end, as they are when a run exports."""
    torch.set_num_threads(1)
    module = load_entry(Path(entry).read_text())
    world, env = start_world(), read_environment(module.SETTINGS)
    program, parameters = module.make_program(), module.make_parameters()
    session = Session(module.SETTINGS, program, parameters, env, world, lambda text: None, Ledger())
    module.prepare_components(session)
    session.open_loader(Ledger())
    moved = first_update(session)
    session.open_loader(Ledger())
    optimizers = Optimizers(program, session.model, parameters, world)
    program.average.start(optimizers.averaged, optimizers.averaged_names)
    for step in range(10):
        scalars = read_schedules(session, step, 0.0, 0.0)
        run_step(session, optimizers, session.phases, scalars, session.ledger)
        program.average.update(optimizers.averaged, step + 1, scalars)
    live = checksum(session.model)
    program.average.apply(optimizers.averaged, session.ledger)
    torch.save({"moved": moved, "live": live, "averaged": checksum(session.model)}, out)
    stop_world(world)


def first_update(session):
    """Name -> how the first step moves it, without orthogonalization, which would blow up what rounding differs by."""
    before = {name: tensor.detach().clone() for name, tensor in session.model.named_parameters()}
    plain = session.program._replace(orthogonalizer=NothingOrthogonal())
    program, session.program = session.program, plain
    optimizers = Optimizers(plain, session.model, session.parameters, session.world)
    run_step(session, optimizers, (), Scalars(1.0, 1.0, 0.9), Ledger())
    session.program = program
    moved = {name: tensor.detach() - before[name] for name, tensor in session.model.named_parameters()}
    with torch.no_grad():
        for name, tensor in session.model.named_parameters():
            tensor.copy_(before[name])
    return moved


class NothingOrthogonal:
    """Hands updates on."""

    name = "newton_schulz"

    def __call__(self, update, names, steps):
        return update


def checksum(model):
    """Of every tensor's name and bytes."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.detach().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
