"""Ranks that are threads of this process: the collectives of the runtime without processes that import torch."""

import threading
from types import SimpleNamespace

import torch

from pgolf.runtime import distributed
from pgolf.runtime.distributed import World

CPU = torch.device("cpu")


class ThreadGroup:
    """The collectives that the runtime uses, between threads; sums accumulate in float32 in order of rank."""

    def __init__(self, world_size):
        self.world_size, self.barrier = world_size, threading.Barrier(world_size)
        self.slots, self.local = [None] * world_size, threading.local()

    def exchange(self, tensor):
        """Every rank's tensor, on every rank."""
        self.slots[self.local.rank] = tensor.clone()
        self.barrier.wait()
        found = list(self.slots)
        self.barrier.wait()
        return found

    def total(self, tensor):
        return torch.stack([part.float() for part in self.exchange(tensor)]).sum(0).to(tensor.dtype)

    def all_reduce(self, tensor, async_op=False):
        tensor.copy_(self.total(tensor))
        return SimpleNamespace(wait=lambda: None)

    def reduce_scatter(self, shard, parts, async_op=False):
        shard.copy_(self.total(torch.stack(parts))[self.local.rank])
        return SimpleNamespace(wait=lambda: None)

    def all_gather(self, parts, shard, async_op=False):
        for part, found in zip(parts, self.exchange(shard), strict=True):
            part.copy_(found)
        return SimpleNamespace(wait=lambda: None)

    def run(self, monkeypatch, work):
        """`work(World)` on every rank at once; their results in order of rank."""
        monkeypatch.setattr(distributed, "dist", self)
        results, failures = [None] * self.world_size, []

        def one(rank):
            self.local.rank = rank
            try:
                with torch.no_grad():
                    results[rank] = work(World(rank, self.world_size, rank, CPU))
            except BaseException as error:
                failures.append(error)
                self.barrier.abort()

        threads = [threading.Thread(target=one, args=(rank,)) for rank in range(self.world_size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return results
