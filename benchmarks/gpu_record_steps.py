"""Training steps of the PR #1855 recipe on one GPU, before and while looping; one JSON line for each figure as it is known.

    gpu_record_steps.py prepare FOLDER [--recipe submissions/pr1855] [--tiny]     here: builds FOLDER/train_gpt.py
    gpu_record_steps.py run FOLDER [--seconds 40] [--steps 15]                    there: PyTorch and numpy are needed

The build is the recipe without what comes after training and needs more than PyTorch (test-time training, the group
coder): every part of a training step stays. `run` is one process on one GPU with an empty compile cache; it takes the
micro-batches of eight ranks one after the other, from random documents. Its clock is real time with a budget of
`--seconds`, so the loop begins at the recipe's share of it, after the usual warm-up of both variants; kernels are those of
a record, not the deterministic ones.

ready             seconds from the start of the process to the first warm-up step that is done
variant           a warm-up of one variant: seconds with compilation, and ms a step of its second half
first step        seconds from the start of the process to the first training step that is done: all of the above
before, looping   tokens per second and ms a step of training; the MiB allocated at most since the line before, and reserved

It ends itself after `--steps` looped steps. `--tiny` prepares a small model, to try this on a CPU.
"""

import argparse
import json
import os
import re
import runpy
import sys
import tempfile
import time
from pathlib import Path

BEGIN = time.perf_counter()
LEFT_OUT = ("lora_ttt", "phased_ttt", "pergroup")
TINY = {"num_layers": 6, "model_dim": 64, "num_heads": 4, "num_kv_heads": 2, "train_seq_len": 64, "vocab_size": 256}
TINY |= {"train_batch_tokens": 512, "rope_dims": 8, "loop_start": 1, "loop_end": 2, "parallel_start_layer": 4}
TINY |= {"warmup_steps": 2, "eval_seq_len": 64, "gptq_calibration_batches": 1}
# Steps after a change that do not count.
SETTLE = 3


def prepare(folder: Path, recipe: Path, tiny: bool) -> None:
    """The built file, and beside it what `run` must know of its data."""
    from pgolf.ablate.variants import with_known_settings, without
    from pgolf.manager import load_registry
    from pgolf.recipe import load_recipe
    from pgolf.submission import make, write_submission

    found, registry = load_recipe(recipe), load_registry()
    left = with_known_settings(without(found, LEFT_OUT), registry)
    more = {"vocab_size": 8192, "val_loss_every": 0, "train_log_every": 1} | (TINY if tiny else {})
    small = left.override(settings=more, name="record_steps")
    write_submission(make(small, registry), folder)
    settings = small.settings
    sizes = {"vocab_size": settings["vocab_size"], "batch": settings["train_batch_tokens"]}
    (folder / "sizes.json").write_text(json.dumps(sizes))


def write_data(folder: Path, vocab_size: int, tokens: int) -> None:
    """Random documents, 950 tokens long on average, and a byte for every token of validation."""
    import numpy as np

    def write(name: str, ids) -> None:
        header = np.zeros(256, "<i4")
        header[:3] = 20240520, 1, len(ids)
        (folder / name).write_bytes(header.tobytes() + ids.astype("<u2").tobytes())

    random = np.random.default_rng(0)
    for name, count in (("train", tokens), ("val", tokens // 40)):
        ids = random.integers(8, vocab_size, count)
        ids[random.random(count) < 1 / 950] = 1
        ids[0] = 1
        write(f"fineweb_{name}_000000.bin", ids)
    write("fineweb_val_bytes_000000.bin", (ids != 1).astype(int))


class Watcher:
    """Stands where the log goes, and makes figures of what passes."""

    def __init__(self, out, batch: int, steps: int) -> None:
        self.out, self.batch, self.wanted = out, batch, steps
        self.part, self.variant, self.ready = "before", None, False
        self.begin = self.half = 0.0
        self.done: list[float] = []

    def flush(self) -> None:
        self.out.flush()

    def write(self, text: str) -> int:
        for line in text.splitlines():
            self.look(line)
        return self.out.write(text)

    def say(self, what: str, **figures) -> None:
        print(json.dumps({"what": what, **figures}), file=self.out, flush=True)

    def look(self, line: str) -> None:
        """One line of the log."""
        warm = re.match(r"warmup_step:(\d+)/(\d+)(.*)", line)
        step = re.match(r"step:(\d+)/\d+ train_loss", line)
        if warm:
            self.warm_up(int(warm[1]), int(warm[2]), warm[3].strip() or "plain")
        elif line.startswith("phase ") and " on at " in line:
            self.close()
            self.part = "looping"
        elif step:
            now = self.wait()
            if step[1] == "1":
                self.say("first step", seconds=round(now, 1))
            self.done.append(now)
            if self.part == "looping" and len(self.done) > self.wanted + SETTLE:
                self.end()
        elif re.match(r"step:\d+/\d+ val_loss", line):
            self.end()

    def end(self) -> None:
        """Nothing of the score and the export is wanted."""
        self.close()
        os._exit(0)

    def warm_up(self, number: int, count: int, name: str) -> None:
        """A warm-up step is done."""
        if number == 1 and not self.ready:
            self.ready = True
            self.say("ready", seconds=round(self.wait(), 1))
        if number not in (1, count // 2, count):
            return
        now = self.wait()
        if number == count:
            ms = 1000 * (now - self.half) / (count - count // 2)
            self.say("variant", name=name, seconds=round(now - self.begin, 1), ms=round(ms, 1), **self.memory())
            self.begin = now
        self.half = now

    def close(self) -> None:
        """The part so far."""
        counted = self.done[SETTLE:]
        if len(counted) > 1:
            ms = 1000 * (counted[-1] - counted[0]) / (len(counted) - 1)
            rate = round(1000 * self.batch / ms)
            self.say(self.part, tokens_per_second=rate, ms=round(ms, 1), steps=len(counted) - 1, **self.memory())
        else:
            self.say(self.part, failed=f"{len(self.done)} steps, wanted more than {SETTLE + 1}: give more --seconds")
        self.done = []

    def wait(self) -> float:
        """Seconds since this process began, once the GPU has done what it was given."""
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - BEGIN

    def memory(self) -> dict[str, int]:
        """The most that was allocated since the last call, and reserved since the start."""
        import torch

        if not torch.cuda.is_available():
            return {}
        found = {
            "peak_mib": torch.cuda.max_memory_allocated() >> 20,
            "reserved": torch.cuda.max_memory_reserved() >> 20,
        }
        torch.cuda.reset_peak_memory_stats()
        return found


def run(folder: Path, seconds: float, steps: int) -> None:
    """The built file in this process."""
    program, sizes = (folder / "train_gpt.py").resolve(), json.loads((folder / "sizes.json").read_text())
    work = Path(tempfile.mkdtemp())
    write_data(work, sizes["vocab_size"], 25 * sizes["batch"])
    os.environ |= {"DATA_PATH": str(work), "TOKENIZER_PATH": str(work), "RUN_ID": "run", "ITERATIONS": "20000"}
    os.environ |= {"MAX_WALLCLOCK_SECONDS": str(seconds), "TORCHINDUCTOR_CACHE_DIR": str(work / "inductor")}
    os.environ |= {"TRITON_CACHE_DIR": str(work / "triton"), "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    os.chdir(work)
    sys.argv = [str(program)]
    watcher = Watcher(sys.stdout, sizes["batch"], steps)
    watcher.say("machine", device=device_name(), budget=seconds, tokens=sizes["batch"])
    sys.stdout = watcher
    runpy.run_path(str(program), run_name="__main__")


def device_name() -> str:
    """What it is measured on."""
    import torch

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return f"{name}, PyTorch {torch.__version__}"


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("prepare", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parents[1] / "submissions" / "pr1855")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--steps", type=int, default=15)
    given = parser.parse_args()
    if given.verb == "prepare":
        prepare(given.folder, given.recipe, given.tiny)
    else:
        run(given.folder, given.seconds, given.steps)


if __name__ == "__main__":
    main()
