"""The log of a run: `logs/<run id>.txt` on rank 0, lines in the public scripts' format."""

import faulthandler
import hashlib
import os
import signal
import subprocess
import sys
import traceback
from functools import partial
from pathlib import Path

import torch


class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns.

    An earlier log of this name is lost, unless the run goes on where that one ended (`more`).

    A rank that fails leaves its traceback in the file, and one that is ended because another has died, where it stood.
    """

    def __init__(self, run_id, rank, more):
        self.main = rank == 0
        Path("logs").mkdir(exist_ok=True)
        self.path = Path("logs", run_id + ".txt")
        if self.main and not more:
            self.path.write_text("")
        sys.excepthook = partial(keep_traceback, self.path)
        faulthandler.register(signal.SIGTERM, self.path.open("a"), chain=True)

    def __call__(self, line):
        """Write one line, or several with line feeds between."""
        if self.main:
            print(line, flush=True)
            with self.path.open("a") as file:
                print(line, file=file)


def keep_traceback(path, kind, error, trace):
    """What Python calls before it ends by an exception: the log gets the traceback, too."""
    with path.open("a") as file:
        traceback.print_exception(error, file=file)
    sys.__excepthook__(kind, error, trace)


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
