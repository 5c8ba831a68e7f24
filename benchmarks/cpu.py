"""Measures builds and the step time of live against built on this machine: `python benchmarks/cpu.py`.

Build: median of five `pgolf build` processes of the three-plugin recipe. Sizes: bytes of train_gpt.py. Step time: the smoke
build of the three-plugin recipe, live and built in turn, three times each; the ratio of the medians of the log's last
step_avg. Prints a table for results.md.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
THREE = "swa,bank_qat,pko"


def pgolf(*arguments):
    """Run the command line; returns (seconds, standard output)."""
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pgolf.cli", *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - begin, done.stdout


def build_figures(folder):
    """Median build time and sizes of four recipes."""
    seconds = statistics.median(pgolf("build", "--plugins", THREE, "-o", str(folder / "three"))[0] for _ in range(5))
    print(f"| `pgolf build --plugins {THREE}` | {seconds:.2f} s |")
    recipes = {
        "baseline": ("submissions/baseline",),
        "pr1019": ("submissions/pr1019",),
        "pr1512": ("submissions/pr1512",),
    }
    recipes["three plugins"] = ("--plugins", THREE)
    for name, arguments in recipes.items():
        built = json.loads(pgolf("build", *arguments, "-o", str(folder / name.replace(" ", "-")), "--json")[1])
        stages = ", ".join(f"{stage} {size:,}" for stage, size in built["stages"].items())
        print(f"| {name}: bytes of train_gpt.py | {built['code_bytes']:,} ({stages}) |")


def step_ms(program, folder, environment):
    """The log's last average step time in milliseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([sys.executable, program], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return float(re.findall(r"step_avg:([\d.]+)ms", done.stdout)[-1])


def live_against_built(folder):
    """Ratio of step times, live over built."""
    from pgolf.data.sample import ensure_sample

    sample = ensure_sample(ROOT / "data")
    pgolf("build", "--smoke", "--plugins", THREE, "-o", str(folder / "smoke"), "--keep-stages")
    environment = {**os.environ, "DATA_PATH": str(sample.data_path), "TOKENIZER_PATH": str(sample.tokenizer_path)}
    environment |= {"RUN_ID": "run", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    programs = {"live": folder / "smoke" / "stages" / "0_live.py", "built": folder / "smoke" / "train_gpt.py"}
    times = {name: [] for name in programs}
    for turn in range(3):
        for name, program in programs.items():
            times[name].append(step_ms(program, folder / f"{name}{turn}", environment))
    medians = {name: statistics.median(values) for name, values in times.items()}
    live, built = medians["live"], medians["built"]
    print(f"| step time, live / built | {live:.1f} / {built:.1f} ms = {live / built:.3f} |")


if __name__ == "__main__":
    print(f"| machine | {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()} |")
    with tempfile.TemporaryDirectory() as name:
        build_figures(Path(name))
        live_against_built(Path(name))
