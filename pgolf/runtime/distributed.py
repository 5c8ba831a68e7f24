"""Ranks: start and stop them, average gradients, and the sharded collectives of banked optimizers.

With one rank nothing here communicates and no process group exists; every function then does what its collective
would do with one member. Sums are divided by the world size, a power of two, so an average is exact up to the sum.
The list forms of reduce-scatter and all-gather are the ones that torch 2.9 to 2.13 and both backends share.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from torch import Tensor

# Micro-batches of a step over all ranks; a rank takes its share of them one after the other.
MICRO_BATCHES = 8


class World(NamedTuple):
    """This process among its peers.

    Attributes:
        rank: 0 writes the log and the artifact.
        world_size: number of processes, 1, 2, 4 or 8.
        local_rank: rank on this machine.
        device: the `torch.device` that it computes on.
    """

    rank: int
    world_size: int
    local_rank: int
    device: torch.device


def read_ranks() -> tuple[int, int, int]:
    """What torchrun's RANK, WORLD_SIZE and LOCAL_RANK say; one process alone without them.

    Raises:
        ValueError: when one is no number, or the world size does not divide the micro-batches of a step.
    """
    get = os.environ.get
    rank = int(get("RANK", 0))
    world_size = int(get("WORLD_SIZE", 1))
    local_rank = int(get("LOCAL_RANK", 0))
    if world_size < 1 or MICRO_BATCHES % world_size:
        raise ValueError(f"WORLD_SIZE is {world_size}, wanted a divisor of {MICRO_BATCHES} micro-batches")
    return rank, world_size, local_rank


def start_world() -> World:
    """Join the group that the environment describes; ValueError as in `read_ranks`."""
    rank, world_size, local_rank = read_ranks()
    backend = "gloo"
    device = torch.device("cpu")
    if torch.cuda.is_available():
        backend = "nccl"
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
    if world_size > 1:
        dist.init_process_group(backend)
    return World(rank, world_size, local_rank, device)


def stop_world(world: World) -> None:
    """Leave the group."""
    if world.world_size > 1:
        dist.destroy_process_group()


def learning_world(world: World) -> World:
    """Who shares the work of one gradient: all ranks, or, where kernels are deterministic, each rank by itself.

    A sum over ranks depends on their number in its last bits; a gradient that every rank makes whole does not.
    """
    return world._replace(rank=0, world_size=1) if torch.are_deterministic_algorithms_enabled() else world


def sum_over_ranks(tensor: Tensor, world: World) -> Tensor:
    """Sum a tensor over ranks, in place; returns it."""
    if world.world_size > 1:
        dist.all_reduce(tensor)
    return tensor


def gather_over_ranks(value: Any, world: World) -> list[Any]:
    """The small picklable values of all ranks, in order of rank; waits for every rank."""
    values = [value] * world.world_size
    if world.world_size > 1:
        dist.all_gather_object(values, value)
    return values


def take_turns(key: str, count: int, world: World) -> Iterator[int]:
    """Give out the numbers below `count`, each once over all ranks, whoever asks first; `key` names the queue.

    The counter lives in the store through which the ranks found each other.
    """
    if world.world_size == 1:
        yield from range(count)
        return
    store = dist.distributed_c10d._get_default_store()
    taken = store.add(key, 1)
    while taken <= count:
        yield taken - 1
        taken = store.add(key, 1)


def max_over_ranks(value: float, world: World) -> float:
    """The largest of the ranks' numbers, so that clocks agree and ranks cannot drift apart; waits for every rank."""
    if world.world_size == 1:
        return value
    seen = torch.tensor(value, dtype=torch.float64, device=world.device)
    dist.all_reduce(seen, dist.ReduceOp.MAX)
    return seen.item()


def gradient_of(tensor: Tensor) -> Tensor:
    """A parameter's gradient; zeros where backward left none, so that every rank reduces the same list."""
    if tensor.grad is None:
        tensor.grad = torch.zeros_like(tensor)
    return tensor.grad


def mean_gradients(tensors: Sequence[Tensor], world: World) -> None:
    """Average the gradients of `tensors` over ranks, in place.

    They travel together, in the widest of their dtypes (openai/parameter-golf#1530). A missing gradient counts as
    zeros.
    """
    gradients = [gradient_of(tensor) for tensor in tensors]
    if world.world_size > 1:
        packed = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(packed)
        parts = (packed / world.world_size).split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def start_reduce_scatter(shard: Tensor, full: Tensor, world: World) -> dist.Work | None:
    """Sum `full` over ranks and leave this rank's slice of the first axis in `shard`; returns a handle to finish."""
    if world.world_size > 1:
        return dist.reduce_scatter(shard, list(full.chunk(world.world_size)), async_op=True)  # type: ignore[no-any-return]
    shard.copy_(full)
    return None


def start_all_gather(full: Tensor, shard: Tensor, world: World) -> dist.Work | None:
    """Fill `full` with every rank's `shard` along the first axis; returns a handle to finish."""
    if world.world_size > 1:
        return dist.all_gather(list(full.chunk(world.world_size)), shard, async_op=True)  # type: ignore[no-any-return]
    full.copy_(shard)
    return None


def finish(handle: dist.Work | None) -> None:
    """Wait for a started collective."""
    if handle is not None:
        handle.wait()
