"""What `pgolf verify` costs: seconds of the processor for one folder and for many, and for folders of 500 MB on one core.

    python benchmarks/verify_speed.py --folders DIR

DIR holds submission folders, or folders with `files`. The start of Python and of the command is counted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from foreign import foreign_folder  # noqa: E402

STEP = "step:1/20000 train_loss:6.9000 train_time:90ms step_avg:90.00ms\n"
MIB = 2**20


def cost(folders: Sequence[Path], times: int) -> tuple[float, float, int, str]:
    """(seconds of the processor, of the clock, MiB, output), the least of several tries."""
    best = (float("inf"), 0.0, 0, "")
    for _ in range(times):
        command = [sys.executable, "-m", "pgolf.cli", "verify", "--json", *map(str, folders)]
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, (seconds, time.monotonic() - begin, after.ru_maxrss // 1024, done.stdout))
    return best


def large(kind: str, place: Path) -> Path:
    """A folder of about 500 MB."""
    folder = foreign_folder(place / kind)
    if kind == "logs":
        for number in range(32):
            (folder / f"more{number}.log").write_text(STEP * (15 * MIB // len(STEP)))
    elif kind == "packed logs":
        for number in range(40):
            (folder / f"more{number}.log.gz").write_bytes(gzip.compress(STEP.encode() * (100 * MIB // len(STEP)), 1))
    elif kind == "scripts":
        for number in range(32):
            (folder / f"helper{number}.py").write_text("x = [" + "1.5, " * (3 * MIB) + "]\n")
        (folder / "train_gpt.py").write_text("".join(f"import helper{number}\n" for number in range(32)))
    else:
        for seed in (1, 2, 3):
            target = folder / f"artifacts/seed{seed}/final_model.int6.ptz"
            target.parent.mkdir(parents=True)
            target.write_bytes(os.urandom(MIB) * 170)
    return folder


def main() -> None:
    """Print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folders", type=Path, required=True)
    folders = sorted(parser.parse_args().folders.iterdir())
    folders = [path / "files" if (path / "files").is_dir() else path for path in folders]
    single = sorted(cost([folder], 3)[0] for folder in folders[:: max(1, len(folders) // 9)])
    print(f"one folder: {single[0]:.2f} to {single[-1]:.2f} s, {len(single)} tried", flush=True)
    print(f"{len(folders)} folders: {cost(folders, 3)[0]:.2f} s", flush=True)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        for kind in ("logs", "packed logs", "scripts", "artifacts"):
            seconds, wall, memory, output = cost([large(kind, Path(name))], 1)
            limits = next(row["message"] for row in json.loads(output)["checks"] if row["id"] == "pkg.limits")
            print(
                f"500 MB of {kind}: {seconds:.2f} s, {wall:.1f} s on the clock, {memory} MiB; {limits[:60]}", flush=True
            )


if __name__ == "__main__":
    main()
