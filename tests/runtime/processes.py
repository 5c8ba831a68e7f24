"""Starts a worker script as the ranks of one gloo group."""

import os
import socket
import subprocess
import sys

import torch

# Another process took the port in between; a rank aborted while its process ended, when all was written and Python gone.
CHANCE = ("EADDRINUSE", "ddress already in use", "terminate called without an active exception")


def run_ranks(script, world_size, folder):
    """What every rank saved, in order of rank; `script` is called with the path to save to."""
    for _ in range(5):
        failed = run_once(script, world_size, folder)
        if not any(text in errors for errors in failed for text in CHANCE):
            break
    assert not failed, "\n".join(failed)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(world_size)]


def run_once(script, world_size, folder):
    """What the ranks that failed wrote to their standard error."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = []
    for rank in range(world_size):
        environment = {
            **os.environ,
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(world_size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        command = [sys.executable, "-W", "error", script, str(folder / f"{rank}.pt")]
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    try:
        said = [process.communicate(timeout=240)[1] for process in processes]
        return [errors for process, errors in zip(processes, said, strict=True) if process.returncode]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
