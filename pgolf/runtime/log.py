"""The log of a run: `logs/<run id>.txt` on rank 0, lines in the public scripts' format."""

import hashlib
import os
import platform
import resource
import subprocess
import sys

import torch


class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns."""

    def __init__(self, run_id, rank):
        self.path = ""
        if rank == 0:
            os.makedirs("logs", exist_ok=True)
            self.path = os.path.join("logs", run_id + ".txt")
            open(self.path, "w").close()

    def __call__(self, line):
        """Write one line."""
        if self.path:
            print(line, flush=True)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(line + "\n")


def log_machine(log, device):
    """Versions, the hash of the running file, and the GPU."""
    log(f"Running Python {sys.version}".replace("\n", " "))
    log(f"Running PyTorch {torch.__version__}")
    with open(sys.argv[0], "rb") as file:
        log(f"code_sha256:{hashlib.sha256(file.read()).hexdigest()}")
    if device.type == "cuda":
        log(subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=False).stdout)
    else:
        log(f"hardware:{platform.machine()} CPU, {torch.get_num_threads()} threads")


def peak_memory(device):
    """MiB (allocated, reserved): of the GPU, or the process's largest resident size."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() >> 20, torch.cuda.max_memory_reserved() >> 20
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform != "darwin" else 1 << 20)
    return resident, resident


def code_bytes():
    """Size of the running file on disk, which is what counts."""
    return os.path.getsize(sys.argv[0])
