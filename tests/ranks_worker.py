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
    before = {name: tensor.detach().clone() for name, tensor in session.model.named_parameters()}
    optimizers = Optimizers(program, session.model, parameters, world)
    program.average.start(optimizers.averaged, optimizers.averaged_names)
    for step in range(10):
        scalars = read_schedules(session, step, 0.0, 0.0)
        run_step(session, optimizers, session.phases, scalars, session.ledger)
        program.average.update(optimizers.averaged, step + 1, scalars)
        if not step:
            moved = {name: tensor.detach() - before[name] for name, tensor in session.model.named_parameters()}
    live = checksum(session.model)
    program.average.apply(optimizers.averaged, session.ledger)
    torch.save({"moved": moved, "live": live, "averaged": checksum(session.model)}, out)
    stop_world(world)


def checksum(model):
    """Of every tensor's name and bytes."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.detach().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
