import gloo_worker
import pytest
import torch
from processes import run_ranks

from pgolf.runtime.distributed import (
    World,
    finish,
    max_over_ranks,
    mean_gradients,
    start_all_gather,
    start_reduce_scatter,
    start_world,
    stop_world,
    sum_over_ranks,
)
from pgolf_plugins.optimizer.muon import Muon
from pgolf_plugins.optimizer.parallel_muon import ParallelMuon

ALONE = World(0, 1, 0, torch.device("cpu"))


@pytest.fixture
def two_ranks(tmp_path):
    """What two gloo processes found, in order of rank."""
    return run_ranks(gloo_worker.__file__, 2, tmp_path)


def test_two_processes_agree_with_one(two_ranks):
    """Averages, sums, and both Muons on two gloo processes, against one process with the averaged gradients."""
    torch.set_num_threads(1)
    assert [found["sum"].item() for found in two_ranks] == [3.0, 3.0]
    assert [found["max"] for found in two_ranks] == [(1.0, 2.5)] * 2

    tensors = gloo_worker.parameters(gloo_worker.SHAPES)
    means = mean_of_ranks(tensors, 0, lambda gradient: gradient)
    for found in two_ranks:
        for gradient, expected in zip(found["mean"], means, strict=True):
            assert gradient.dtype == expected.dtype
            torch.testing.assert_close(gradient, expected)

    banks = gloo_worker.parameters(gloo_worker.BANKS)
    alone = gloo_worker.train(
        ParallelMuon(0.1, 5), banks, ALONE, lambda step: mean_of_ranks(banks, step, torch.Tensor.bfloat16)
    )
    check_close(two_ranks, "banks", alone)
    matrices = gloo_worker.parameters(((8, 4), (6, 6), (4, 8)))
    alone = gloo_worker.train(
        Muon(0.1, 5), matrices, ALONE, lambda step: mean_of_ranks(matrices, step, lambda gradient: gradient)
    )
    check_close(two_ranks, "matrices", alone)


def mean_of_ranks(tensors, step, cast):
    """The average of both ranks' gradients; `cast` is what a rank does to its own before it sends it."""
    ranks = [gloo_worker.gradients(tensors, rank, step) for rank in range(2)]
    pairs = zip(*ranks, strict=True)
    return [
        ((cast(first).float() + (0 if second is None else cast(second).float())) / 2).to(first.dtype)
        for first, second in pairs
    ]


def check_close(two_ranks, key, alone):
    """Ranks are equal to each other, and as close to one process as bfloat16 products allow."""
    for first, second, expected in zip(two_ranks[0][key], two_ranks[1][key], alone, strict=True):
        assert torch.equal(first, second)
        assert (first - expected).abs().max() <= 0.1 * 0.1 * 2


def test_one_rank_needs_no_group(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    world = start_world()
    assert (world.rank, world.world_size, world.local_rank) == (0, 1, 0)
    tensor = torch.nn.Parameter(torch.ones(2))
    mean_gradients([tensor], world)
    assert torch.equal(tensor.grad, torch.zeros(2))
    assert sum_over_ranks(torch.tensor(2.0), world).item() == 2.0
    assert max_over_ranks(1.5, world) == 1.5
    full, shard = torch.arange(4.0).view(2, 2), torch.zeros(2, 2)
    finish(start_reduce_scatter(shard, full, world))
    assert torch.equal(shard, full)
    finish(start_all_gather(full, shard + 1, world))
    assert torch.equal(full, shard + 1)
    stop_world(world)


@pytest.mark.parametrize("size", ["3", "16", "0", "-2"])
def test_the_world_must_divide_the_micro_batches(monkeypatch, size):
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(ValueError, match=f"WORLD_SIZE is {size}, wanted a divisor of 8 micro-batches"):
        start_world()
