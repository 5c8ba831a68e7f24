"""A few optimizer steps with the gradients of a golden case, and the bounds that the case states."""

from functools import partial

import torch
from simulated import newton_schulz, program, scalars

from pgolf.runtime.ledger import Ledger
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.muon_weight_decay import decay_matrix
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon


def relative_error(found, wanted):
    """Frobenius norm of the difference, relative."""
    return ((found.double() - wanted.double()).norm() / wanted.double().norm()).item()


def with_decay(weight_decay, slots):
    """The slots and taps with weight decay, if the case has any."""
    taps = () if weight_decay is None else (partial(decay_matrix, weight_decay=weight_decay),)
    return program(apply_taps=taps, **slots)


def run_matrices(case, world, weight_decay=None, **slots):
    """Separate matrices: weights after every step, the optimizer and its ledger; every rank has the averaged gradients."""
    params = case.params
    weights = [torch.nn.Parameter(case.inputs[f"W:{name}"].clone()) for name in params["names"]]
    muon, ledger, history = Muon(params["lr"], params["backend_steps"]), Ledger(), []
    with torch.no_grad():
        muon.bind(weights, [(name,) for name in params["names"]], with_decay(weight_decay, slots), world)
        for step in range(params["steps"]):
            for name, weight in zip(params["names"], weights, strict=True):
                weight.grad = case.inputs[f"G:{name}"][step].clone()
            muon.launch()
            muon.step(scalars(params["mul"][step], params["momentum"][step]), ledger)
            history.append([weight.detach().clone() for weight in weights])
    return history, muon, ledger


def check_matrices(case, history, buffers):
    """Weights within 0.05 lr per step, momentum within 1e-6."""
    params = case.params
    for index, name in enumerate(params["names"]):
        for step in range(params["steps"]):
            difference = (history[step][index] - case.outputs[f"W{step + 1}:{name}"]).abs().max()
            assert difference <= 0.05 * params["lr"] * params["steps"]
        if index in buffers:
            torch.testing.assert_close(buffers[index], case.outputs[f"M:{name}"], rtol=1e-6, atol=1e-7)


def run_banks(case, world, **slots):
    """Banks: weights after every step, what this rank holds of each bank, and the ledger; gradients are the rank's own."""
    params = case.params
    weights = {name: torch.nn.Parameter(case.inputs[f"W:{name}"].clone()) for name in params["names"]}
    muon, ledger, history = ParallelMuon(params["lr"], params["backend_steps"]), Ledger(), []
    with torch.no_grad():
        names = [tuple(f"{name}.{index}" for index in range(len(weight))) for name, weight in weights.items()]
        slots = {"orthogonalizer": newton_schulz(False), **slots}
        muon.bind(list(weights.values()), names, with_decay(params["wd"], slots), world)
        for step in range(params["steps"]):
            for name, weight in weights.items():
                weight.grad = case.inputs[f"G:{name}"][step][world.rank].clone()
            muon.launch()
            muon.step(scalars(momentum=params["momentum"]), ledger)
            history.append({name: weight.detach().clone() for name, weight in weights.items()})
    banks = {name: bank for name, weight in weights.items() for bank in muon.banks if bank.weight is weight}
    return history, banks, ledger


def check_banks(case, history):
    """Weights within 0.12 lr per step."""
    for step, weights in enumerate(history):
        for name, weight in weights.items():
            difference = (weight - case.outputs[f"W{step + 1}:{name}"]).abs().max()
            assert difference <= 0.12 * case.params["lr"] * case.params["steps"]
