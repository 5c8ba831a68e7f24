"""Training steps of the PR #1855 architecture on the CPU, of the live program and of the built file; a table at the end.

    cpu_record_steps.py [--turns 3] [--seconds 36] [--recipe submissions/pr1855]

Both are made of one recipe and run at the same time, one thread each, so that both meet what else the machine does; each turn
starts two new processes. Their clock is the processor time of the process, which is also what the budget of `--seconds` counts,
so the loop begins at the recipe's share of it. Sizes are those of SIZES; what comes after training is left out.
"""

import argparse
import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import gpu_record_steps as steps

SIZES = steps.TINY | {"model_dim": 128, "train_batch_tokens": 2048, "train_seq_len": 128, "vocab_size": 1024}
SIZES |= {"warmup_steps": 1, "eval_seq_len": 128, "rope_dims": 16}
FORMS = ("live", "built")


def prepare(folder: Path, recipe: Path) -> None:
    """FOLDER/live.py, which imports the plugins, and FOLDER/built.py, which holds them."""
    from pgolf.manager import load_registry
    from pgolf.recipe import load_recipe
    from pgolf.submission import make

    found, registry = load_recipe(recipe), load_registry()
    layers = tuple(tuple(name for name in layer if name not in steps.LEFT_OUT) for layer in found.layers)
    kept = {setting.name for layer in layers for name in layer for setting in registry.plugins[name].plugin.settings}
    lost = {setting.name for name in steps.LEFT_OUT for setting in registry.plugins[name].plugin.settings} - kept
    settings = {key: value for key, value in found.settings.items() if key not in lost}
    settings |= SIZES | {"val_loss_every": 0, "train_log_every": 1}
    made = make(replace(found, layers=layers, settings=settings, name="cpu_steps"), registry)
    (folder / "live.py").write_text(made.resolved.entry)
    (folder / "built.py").write_bytes(made.built.code)
    steps.write_data(folder, SIZES["vocab_size"], 100 * SIZES["train_batch_tokens"])


def run(program: Path, wanted: int) -> None:
    """One program in this process, by its processor time."""
    time.perf_counter = time.process_time
    steps.BEGIN = time.perf_counter()
    sys.argv = [str(program)]
    sys.stdout = steps.Watcher(sys.stdout, SIZES["train_batch_tokens"], wanted)
    runpy.run_path(str(program), run_name="__main__")


def figures(text: str) -> dict[str, float]:
    """Milliseconds a step of each part that a process has told."""
    told = [json.loads(line) for line in text.splitlines() if line.startswith('{"what"')]
    return {row["what"]: row["ms"] for row in told if row["what"] in ("before", "looping") and "ms" in row}


def turn(folder: Path, seconds: float, wanted: int) -> dict[str, dict[str, float]]:
    """Both programs at once."""
    data = {"DATA_PATH": str(folder), "TOKENIZER_PATH": str(folder), "RUN_ID": "run", "ITERATIONS": "20000"}
    data |= {"MAX_WALLCLOCK_SECONDS": str(seconds), "OMP_NUM_THREADS": "1"}
    started = {}
    for form in FORMS:
        work = Path(tempfile.mkdtemp())
        command = [sys.executable, __file__, "--run", str(folder / f"{form}.py"), "--steps", str(wanted)]
        started[form] = subprocess.Popen(command, cwd=work, env=os.environ | data, stdout=subprocess.PIPE, text=True)
    return {form: figures(process.communicate()[0]) for form, process in started.items()}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parents[1] / "submissions" / "pr1855")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=36.0)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        return run(given.run, given.steps)
    folder = Path(tempfile.mkdtemp())
    prepare(folder, given.recipe)
    turns = []
    for _ in range(given.turns):
        turns.append(turn(folder, given.seconds, given.steps))
        print(json.dumps(turns[-1]), flush=True)
    print("| part | live, ms a step | built | built over live, of each turn |\n| --- | --- | --- | --- |")
    for part in ("before", "looping"):
        both = [[found[form][part] for form in FORMS] for found in turns if all(part in found[form] for form in FORMS)]
        if both:
            ratios = ", ".join(f"{built / live:.3f}" for live, built in both)
            live, built = (statistics.median(column) for column in zip(*both, strict=True))
            print(f"| {part} | {live:.0f} | {built:.0f} | {ratios} |")
    return None


if __name__ == "__main__":
    main()
