"""Run by torchrun: every rank sums a tensor with all others, and rank 0 says how long it took.

ranks: 8 of 8, 64 MiB summed in 1.9 ms
"""

from __future__ import annotations

import time

import torch

from pgolf.runtime.distributed import start_world, stop_world, sum_over_ranks

ELEMENTS = 2**24


def main() -> None:
    """Sum once to connect, and once for the time; an answer that is wrong ends the rank."""
    world = start_world()
    for _ in range(2):
        tensor = torch.full((ELEMENTS,), float(world.rank + 1), device=world.device)
        begin = time.perf_counter()
        total = float(sum_over_ranks(tensor, world)[-1])
        seconds = time.perf_counter() - begin
    if total != world.world_size * (world.world_size + 1) / 2:
        raise ValueError(f"the ranks' numbers sum to {total:g}")
    if world.rank == 0:
        size = f"{ELEMENTS * 4 >> 20} MiB summed in {1000 * seconds:.1f} ms"
        print(f"ranks: {world.world_size} of {world.world_size}, {size}", flush=True)
    stop_world(world)


if __name__ == "__main__":
    main()
