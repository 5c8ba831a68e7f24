"""Step time and time to the first step of built programs on this machine's GPUs, one after the other, in turns.

    gpu_steps.py TOKENIZER ROUNDS NPROC NAME=FOLDER/train_gpt.py ...

Every program trains on the same random tokens with an empty compile cache of its own in the first round and its own full
one later. It is ended once 40 steps are done: `ms a step` is over steps 20 to 40, by the program's own clock; `first step` is
wall time from the launch to the log line of step 1, compile warm-up included. Files to compare belong into one call.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STEPS = 40
WORK = Path(tempfile.gettempdir()) / "gpu_steps"


def write_shard(path: Path, tokens: int, seed: int) -> None:
    """A shard of random ids below 1024."""
    header = np.zeros(256, dtype="<i4")
    header[:3] = 20240520, 1, tokens
    ids = np.random.default_rng(seed).integers(4, 1024, tokens, dtype="<u2")
    path.write_bytes(header.tobytes() + ids.tobytes())


def run(name: str, program: Path, tokenizer: str, nproc: int) -> dict[str, float]:
    """One run up to step 40."""
    folder = WORK / name
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        "DATA_PATH": str(WORK / "data"),
        "TOKENIZER_PATH": tokenizer,
        "ITERATIONS": "20000",
        "MAX_WALLCLOCK_SECONDS": "600",
        "VAL_LOSS_EVERY": "0",
        "TRAIN_LOG_EVERY": "20",
        "RUN_ID": "run",
        "PYTHONUNBUFFERED": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        "TRITON_CACHE_DIR": str(folder / "triton"),
    }
    command = ["torchrun", "--standalone", f"--nproc_per_node={nproc}", str(program)]
    begin, found, tail = time.time(), {}, []
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            tail = [*tail[-15:], line]
            match = re.match(r"step:(\d+)/\d+ train_loss:([\d.]+) train_time:(\d+)ms", line)
            if match:
                step, loss, elapsed = int(match[1]), float(match[2]), int(match[3])
                found[f"at{step}"], found[f"loss{step}"] = elapsed, loss
                if step == 1:
                    found["first"] = time.time() - begin
                if step >= STEPS:
                    smi = "nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits"
                    found["memory"] = float(subprocess.getoutput(smi).split()[0])
                    process.terminate()
                    break
        process.stdout.read()
    if f"at{STEPS}" not in found:
        print("".join(tail), file=sys.stderr)
    return found


def main() -> None:
    """All programs in turns, then a table."""
    tokenizer, rounds, nproc, *programs = sys.argv[1:]
    (WORK / "data").mkdir(parents=True, exist_ok=True)
    write_shard(WORK / "data" / "fineweb_train_000000.bin", 24_000_000, 0)
    write_shard(WORK / "data" / "fineweb_val_000000.bin", 600_000, 1)
    rows = []
    for turn in range(int(rounds)):
        for item in programs:
            name, _, path = item.partition("=")
            found = run(name, Path(path).resolve(), str(Path(tokenizer).resolve()), int(nproc))
            step = (found.get("at40", float("nan")) - found.get("at20", float("nan"))) / 20
            first, memory = found.get("first", float("nan")), found.get("memory", float("nan"))
            rows.append(f"| {name} | {turn} | {step:.1f} | {first:.1f} | {memory:.0f} | {found.get('loss10', 0):.4f} |")
            print(rows[-1], flush=True)
    print(
        "\n| program | round | ms a step | s to the first step | MiB used | loss of step 10 |\n| --- |" + " --- |" * 5
    )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
