"""The log of a run: `logs/<run id>.txt` on rank 0, lines in the public scripts' format."""

import hashlib
import platform
import resource
import subprocess
import sys
from pathlib import Path

import torch


class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns."""

    def __init__(self, run_id, rank):
        self.path = None
        if rank == 0:
            self.path = Path("logs", run_id + ".txt")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("")

    def __call__(self, line):
        """Write one line."""
        if self.path is not None:
            print(line, flush=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def log_machine(log, device):
    """Versions, the hash of the running file, and the GPU."""
    log(f"Running Python {sys.version}".replace("\n", " "))
    log(f"Running PyTorch {torch.__version__}")
    log("code_sha256:" + hashlib.sha256(Path(sys.argv[0]).read_bytes()).hexdigest())
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
    return Path(sys.argv[0]).stat().st_size
