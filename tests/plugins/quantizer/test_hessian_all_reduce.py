"""The mean over ranks: golden sums, one run on 1 and 2 ranks, and ranks that do not have the same matrices."""

import hashlib
import os
import re
from types import SimpleNamespace

import pytest
import torch
from micro import micro, run_program
from pipeline_vectors import load_case

from pgolf.runtime.ledger import Ledger
from pgolf.testing.warm import Job, run_ranks
from pgolf_plugins.quantizer.hessian_all_reduce import average_statistics

NAMES = ("gptq", "hessian_all_reduce", "layer_loop", "step_clock")


def golden_statistics(batches):
    """What one rank of the golden toy net collects: attn.c_q sees X, mlp.fc 2X and X + 1, the head the normed X."""
    x = batches.double().flatten(0, -2)
    head = torch.nn.functional.rms_norm(x, (x.shape[1],), eps=1.1920929e-07)
    seen = {"blocks.0.attn.c_q.weight": (x,), "blocks.0.mlp.fc.weight": (2 * x, x + 1), "tok_emb.weight": (head,)}
    return {name: {"hessian": sum(part.T @ part for part in parts) / len(batches)} for name, parts in seen.items()}


def test_the_golden_mean_of_all_ranks(monkeypatch):
    """A world whose other ranks' statistics are known: what the collective would add is added by hand."""
    case = load_case("C3_allreduce_a")
    ranks = [golden_statistics(inputs) for inputs in case.inputs["X"]]
    waiting = [sum(other[name]["hessian"] for other in ranks[1:]) for name in sorted(ranks[0])]
    module = "pgolf_plugins.quantizer.hessian_all_reduce"
    monkeypatch.setattr(f"{module}.sum_over_ranks", lambda tensor, world: tensor.add_(waiting.pop(0)))
    monkeypatch.setattr(f"{module}.gather_over_ranks", lambda value, world: [value] * world.world_size)
    ledger = Ledger()
    found = average_statistics(ranks[0], SimpleNamespace(rank=0, world_size=len(ranks)), ledger)
    for name in found:
        torch.testing.assert_close(found[name]["hessian"].float(), case.outputs[f"H:{name}"], rtol=1e-5, atol=1e-4)
    assert ledger.receipt("hessian_all_reduce") == f"3 statistics over {len(ranks)} ranks"


def test_one_rank_keeps_what_it_has():
    eye = torch.eye(3, dtype=torch.float64)
    found = average_statistics({"w": {"hessian": eye.clone()}}, SimpleNamespace(rank=0, world_size=1), Ledger())
    assert torch.equal(found["w"]["hessian"], eye)


def trained(tmp_path, micro_data, ranks, names=NAMES, **settings):
    """A run without a single step, so that all ranks have the weights of the seed."""
    path = tmp_path / "entry.py"
    path.write_text(micro(*names, iterations=0, warmup_steps=0, **settings).entry)
    return run_program(path, tmp_path / f"ranks{ranks}", micro_data, ranks=ranks)


def artifact(run):
    """Its hash; a run without steps fails because optimizers did nothing, and for no other reason."""
    errors = [text for text in run.lines if text.startswith("error:")]
    assert errors and all(text.endswith("did nothing") for text in errors), run.output
    return hashlib.sha256((run.folder / "final_model.int6.ptz").read_bytes()).hexdigest()


@pytest.mark.ci
def test_any_number_of_ranks_gives_the_same_artifact(tmp_path, micro_data):
    runs = {ranks: trained(tmp_path, micro_data, ranks, gptq_calibration_batches=2) for ranks in (1, 2, 4)}
    statistics = {
        ranks: torch.load(run.folder / "final_export.pt", weights_only=True)[0] for ranks, run in runs.items()
    }
    for ranks in (2, 4):
        for name, found in statistics[1].items():
            torch.testing.assert_close(statistics[ranks][name]["hessian"], found["hessian"], rtol=1e-6, atol=1e-6)
    assert artifact(runs[1]) == artifact(runs[2]) == artifact(runs[4])
    lines = "\n".join(runs[4].lines)
    assert re.search(r"receipt hessian_all_reduce: \d+ statistics over 4 ranks", lines)
    assert re.search(r"receipt gptq: \d+ matrices\n", lines)


DISAGREE = """
import torch
from pgolf.runtime.distributed import start_world, stop_world
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.quantizer.hessian_all_reduce import average_statistics

world = start_world()
names = ["a", "b"] if world.rank == 0 else ["a"]
try:
    average_statistics({name: {"hessian": torch.ones(1, 1)} for name in names}, world, Ledger())
except ValueError as error:
    print(f"rank {world.rank}: {error}", flush=True)
stop_world(world)
"""


def test_ranks_with_other_matrices_are_told_and_do_not_wait(tmp_path):
    path = tmp_path / "disagree.py"
    path.write_text(DISAGREE)
    done = run_ranks(Job([str(path)], tmp_path, dict(os.environ)), 2)
    for rank, other in ((0, 1), (1, 0)):
        wanted = f"rank {rank}: ranks {rank} and {other} have statistics of different matrices, such as b"
        assert wanted in done.stdout, done.stderr


@pytest.mark.ci
def test_without_it_the_first_rank_decides(tmp_path, micro_data):
    runs = [trained(tmp_path, micro_data, ranks, ("gptq", "step_clock")) for ranks in (1, 2)]
    assert artifact(runs[0]) != artifact(runs[1])
