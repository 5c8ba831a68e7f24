"""Capture and restore: what is shared stays shared, what is there is filled in place, anything odd is refused by its path."""

import collections
import functools
import io
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from pgolf.run.state import Capture, Restore


class Part(NamedTuple):
    weight: torch.Tensor
    names: tuple[str, ...]


class Thing:
    """An object of a plugin."""

    def __init__(self, **values):
        self.__dict__.update(values)


def through(found, model=None, present=None):
    """Captured, written, read safely, restored into `present`; the model of the new process is a copy."""
    model = model or {}
    walk = Capture(model)
    document = {"node": walk.node(found, "root"), "storages": walk.storages, "model": dict(model)}
    file = io.BytesIO()
    torch.save(document, file)
    file.seek(0)
    read = torch.load(file, weights_only=True)
    other = {name: torch.nn.Parameter(tensor.detach().clone()) for name, tensor in model.items()}
    return Restore(other, read["storages"]).value(read["node"], present), other


def test_plain_values_and_containers():
    found = {
        "a": [1, 2.5, "x", None, True, b"y", torch.float32],
        ("k", 1): {"s": {1, 2}, "f": frozenset("ab"), "d": collections.deque([1, 2])},
        "path": Path("/tmp/x"),
        "number": np.float64(3.5),
    }
    back, _ = through(found)
    assert back == found and type(back[("k", 1)]["d"]) is collections.deque and list(back) == list(found)


def test_tensors_that_share_memory_share_it_again():
    flat = torch.arange(12.0)
    found = [flat, flat[2:6], flat.view(3, 4).t(), flat]
    back, _ = through(found)
    assert [torch.equal(one, other) for one, other in zip(back, found, strict=True)] == [True] * 4
    back[0][2] = 99.0
    assert back[1][0] == 99.0 and back[2][2, 0] == 99.0 and back[3] is not flat
    assert torch.equal(through([torch.zeros(0), torch.zeros(0, 3)])[0][1], torch.zeros(0, 3))


def test_what_is_there_is_filled_in_place():
    here = Thing(buffer=torch.zeros(3), count=0, gone=1)
    kept = here.buffer
    back, _ = through(Thing(buffer=torch.ones(3), count=7, more=torch.ones(2)), present=here)
    assert back is here and here.buffer is kept and kept.tolist() == [1, 1, 1]
    assert here.count == 7 and here.more.tolist() == [1, 1] and not hasattr(here, "gone")
    other, _ = through(Thing(buffer=torch.ones(4)), present=Thing(buffer=torch.zeros(3)))
    assert other.buffer.shape == (4,)
    made, _ = through(Thing(count=1))
    assert type(made) is Thing and made.count == 1


def test_the_model_is_named_and_not_copied():
    model = {"w": torch.nn.Parameter(torch.arange(6.0).view(2, 3))}
    found = Thing(whole=model["w"], row=model["w"].detach()[1], by={model["w"]: 5}, parts=[Part(model["w"], ("w",))])
    back, other = through(found, model)
    assert back.whole is other["w"] and back.by[other["w"]] == 5 and back.parts[0] == Part(other["w"], ("w",))
    assert back.row.data_ptr() == other["w"][1].data_ptr()


def test_objects_are_shared_and_may_lead_back():
    ledger = Thing(done={})
    found = Thing(ledger=ledger, loader=Thing(ledger=ledger))
    found.loader.owner = found
    back, _ = through(found)
    assert back.loader.ledger is back.ledger and back.loader.owner is back


def test_generators_go_on():
    found = [np.random.default_rng(5), torch.Generator().manual_seed(5), random.Random(5)]
    found[0].random(3), torch.rand(3, generator=found[1]), found[2].random()
    back, _ = through(found)
    assert back[0].random() == found[0].random() and back[2].random() == found[2].random()
    assert torch.equal(torch.rand(2, generator=back[1]), torch.rand(2, generator=found[1]))


def test_mapped_files_by_place(tmp_path):
    np.arange(100, dtype="<u2").tofile(tmp_path / "x.bin")
    whole = np.memmap(tmp_path / "x.bin", "<u2", "r", 20, (90,))
    found = [whole, whole[5:][3:40], whole[:0], np.array(whole[::2])]
    back, _ = through(found)
    assert all(np.array_equal(one, other) for one, other in zip(back, found, strict=True))
    assert isinstance(back[1], np.memmap) and not isinstance(back[3], np.memmap)
    (tmp_path / "x.bin").unlink()
    with pytest.raises(OSError):
        through(found)


def test_optimizers_go_on():
    def make():
        weight = torch.nn.Parameter(torch.ones(3))
        return weight, torch.optim.AdamW([weight], lr=0.1)

    def step(weight, optimizer, gradient):
        weight.grad = torch.tensor(gradient)
        optimizer.step()

    weight, optimizer = make()
    step(weight, optimizer, [1.0, -2.0, 3.0])
    walk = Capture({"w": weight})
    node = walk.node(optimizer, "adam")
    other, another = make()
    with torch.no_grad():
        other.copy_(weight)
    Restore({"w": other}, [storage.clone() for storage in walk.storages]).value(node, another)
    for pair in ((weight, optimizer), (other, another)):
        step(*pair, [0.5, 0.5, -1.0])
    assert torch.equal(weight, other) and another.state[other]["step"] == 2


def test_code_stays_and_partial_functions_are_filled():
    here = functools.partial(max, key=Thing(n=1))
    back, _ = through(Thing(f=functools.partial(max, key=Thing(n=2)), g=len), present=Thing(f=here, g=sum))
    assert back.f is here and here.keywords["key"].n == 2 and back.g is sum
    with pytest.raises(ValueError, match="state for a partial that is not here"):
        through(functools.partial(max))


def test_masks_that_are_not_here_stay_away():
    def mask():
        return torch.nn.Linear(1, 1)

    assert through({1: mask(), "a": 2})[0] == {"a": 2}
    mine = mask()
    assert through({1: mask()}, present={1: mine})[0] == {1: mine}


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(ValueError, match=r"root\.lines is a builtins\.generator, which no checkpoint can keep"):
        through(Thing(lines=(x for x in "a")))
    with pytest.raises(ValueError, match=r"root\.d\['k'\] is a _io\.BytesIO"):
        through(Thing(d={"k": io.BytesIO()}))
    with pytest.raises(ValueError, match="state for a defaultdict that is not here"):
        through(collections.defaultdict(list, a=[1]))
    assert through(collections.defaultdict(list, a=[1]), present=collections.defaultdict(list))[0]["b"] == []
    with pytest.raises(ValueError, match="array of object"):
        through(np.array([Thing()], dtype=object))
