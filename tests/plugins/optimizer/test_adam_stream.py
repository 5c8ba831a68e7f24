"""Order on both streams by stand-ins for CUDA; equal weights on the CPU."""

import contextlib
from types import SimpleNamespace

import torch
from simulated import ALONE, program, scalars

from pgolf.runtime.distributed import World
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.optimize import Optimizers
from pgolf.runtime.parameters import initialize, normal, register_parameters
from pgolf.runtime.records import Group, Param
from pgolf_plugins.optimizer.adam import ElementAdam
from pgolf_plugins.optimizer.adam_stream import SideStream
from pgolf_plugins.optimizer.muon import Muon


def start(tensor, generator, ledger):
    normal(tensor, generator, ledger, 0.5)


RECORDS = (
    Param("tok_emb.weight", (6, 4), "embed", "embed", start, "test"),
    Param("blocks.{}.attn.c_q.weight", (4, 4), "matrix", "attn", start, "test", layers=2),
)


def train(stream):
    """Weights after three steps, and the ledger."""
    model, ledger = torch.nn.Module(), Ledger()
    register_parameters(model, RECORDS, torch.device("cpu"), torch.float32)
    initialize(model, RECORDS, 1, ledger)
    slots = program(
        matrix_optimizer=Muon(0.04, 5),
        element_optimizer=ElementAdam(0.9, 0.95, 1e-8),
        groups=(Group("embed", 0.05),),
        element_stream=stream,
    )
    optimizers = Optimizers(slots, model, RECORDS, ALONE)
    for step in range(3):
        generator = torch.Generator().manual_seed(step)
        for parameter in model.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizers.step(scalars(), ledger)
    return [parameter.detach() for parameter in model.parameters()], ledger


def test_weights_are_equal_without_a_gpu():
    stream = SideStream()
    assert stream.prepare(SimpleNamespace(world=ALONE)).startswith("no CUDA device")
    (plain, _), (beside, ledger) = train(None), train(stream)
    assert all(torch.equal(first, second) for first, second in zip(plain, beside, strict=True))
    assert ledger.receipt("adam_stream") == "3 steps"


class FakeStream:
    """Writes down who waits for whom."""

    def __init__(self, name, log):
        self.name, self.log = name, log

    def wait_stream(self, other):
        self.log.append(f"{self.name} waits for {other.name}")


def test_each_stream_waits_for_the_other(monkeypatch):
    log = []
    now = [FakeStream("main", log)]

    @contextlib.contextmanager
    def inside(stream):
        now.append(stream)
        yield
        now.pop()

    device = torch.device("cuda", 3)
    monkeypatch.setattr(torch.cuda, "Stream", lambda where: FakeStream(f"side on {where}", log))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: now[-1])
    monkeypatch.setattr(torch.cuda, "stream", inside)
    stream = SideStream()
    assert stream.prepare(SimpleNamespace(world=World(3, 4, 3, device))) == "a CUDA stream of its own"
    optimizer = SimpleNamespace(step=lambda scalars, ledger: log.append(f"step on {now[-1].name}"))
    stream.start(optimizer, scalars(), Ledger())
    log.append(f"matrices on {now[-1].name}")
    stream.finish()
    side = "side on cuda:3"
    assert log == [f"{side} waits for main", f"step on {side}", "matrices on main", f"main waits for {side}"]
