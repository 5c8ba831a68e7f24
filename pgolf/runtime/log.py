"""The log of a run: `logs/<run id>.txt` on rank 0, lines in the public scripts' format."""

from __future__ import annotations

import faulthandler
import hashlib
import os
import signal
import subprocess
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from typing import Any


class RunLog:
    """Appends lines to the log file and prints them, on rank 0 alone; every line is on disk when it returns.

    An earlier log of this name is lost, unless the run goes on where that one ended (`more`).

    A rank that fails leaves its traceback in the file, and one that is ended because another has died, where it stood.
    """

    def __init__(self, run_id: str, rank: int, more: bool):
        self.rank = rank
        self.main = rank == 0
        Path("logs").mkdir(exist_ok=True)
        self.path = Path("logs", run_id + ".txt")
        if self.main and not more:
            self.path.write_text("")
        sys.excepthook = partial(keep_traceback, self.path)
        faulthandler.register(signal.SIGTERM, self.path.open("a"), chain=True)

    def __call__(self, line: str) -> None:
        """Write one line, or several with line feeds between."""
        if self.main:
            print(line, flush=True)
            with self.path.open("a") as file:
                print(line, file=file)

    def log_error(self, text: str) -> None:
        """Write the line that ends this rank; one that only others than the first know of comes with the rank."""
        if self.main:
            self(f"error: {text}")
        elif text not in self.path.read_text():
            with self.path.open("a") as file:
                print(f"rank {self.rank}: error: {text}", file=file)


def keep_traceback(path: Path, kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """What Python calls before it ends by an exception: the log gets the traceback, too."""
    with path.open("a") as file:
        traceback.print_exception(error, file=file)
    sys.__excepthook__(kind, error, trace)


def log_machine(log: RunLog, device: torch.device) -> None:
    """Versions, the hash of the running file, and the GPU."""
    digest = hashlib.sha256(Path(sys.argv[0]).read_bytes()).hexdigest()
    machine = f"hardware:{os.uname().machine} CPU, {torch.get_num_threads()} threads"
    if device.type == "cuda":
        machine = subprocess.getoutput("nvidia-smi")
    log(f"Running Python {sys.version}\nRunning PyTorch {torch.__version__}\ncode_sha256:{digest}\n{machine}")


def code_bytes() -> int:
    """Size of the running file on disk, which is what counts."""
    return len(Path(sys.argv[0]).read_bytes())
