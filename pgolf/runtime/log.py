"""The log of a run: `logs/<run id>.txt` on rank 0, lines in the public scripts' format."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import torch


class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns."""

    def __init__(self, run_id, rank):
        self.path = None
        if rank == 0:
            Path("logs").mkdir(exist_ok=True)
            self.path = Path("logs", run_id + ".txt")
            self.path.write_text("")

    def __call__(self, line):
        """Write one line, or several with line feeds between."""
        if self.path:
            print(line, flush=True)
            with self.path.open("a") as file:
                print(line, file=file)


def log_machine(log, device):
    """Versions, the hash of the running file, and the GPU."""
    digest = hashlib.sha256(Path(sys.argv[0]).read_bytes()).hexdigest()
    machine = f"hardware:{os.uname().machine} CPU, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        machine = subprocess.getoutput("nvidia-smi")
    log(f"Running Python {sys.version}\nRunning PyTorch {torch.__version__}\ncode_sha256:{digest}\n{machine}")


def code_bytes():
    """Size of the running file on disk, which is what counts."""
    return len(Path(sys.argv[0]).read_bytes())
