"""Every recipe of submissions/ as people take it: built at smoke size, trained, packaged, verified; many at once, on a CPU.

    python benchmarks/all_recipes.py OUT [NAME...] [--jobs N] [--minutes M] [--set KEY=VALUE...]

One JSON line for each, to OUT/recipes.jsonl as they come: the stage that it got to, wall and processor seconds of each stage,
and what failed, the checks or the last 40 lines. A stage has one thread, and sees no GPU. When the time is over, what runs is
ended and what waits is not begun; both say so. Started again, it goes on with what has not come to an end. Folders stay in OUT.

pgolf need not be installed: it is imported from the checkout that this file is in.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parent.parent
LAST_LINES = 40
# A smoke run takes two threads, which wait asleep; here others want the second core.
ONE_THREAD = "import pgolf.run.launch as launch; launch.SMOKE_THREADS = 1; from pgolf.cli.main import main; main()"
DIST_INFO = "Metadata-Version: 2.1\nName: pgolf\nVersion: 0.1.0\n"


def environment(out):
    """Of every command: this checkout's packages, one thread, no GPU, however many there are."""
    path = out / "path"
    (path / "pgolf-0.1.0.dist-info").mkdir(parents=True, exist_ok=True)
    (path / "pgolf-0.1.0.dist-info" / "METADATA").write_text(DIST_INFO)
    for name, folder in (("pgolf", "pgolf"), ("pgolf_plugins", "plugins")):
        (path / name).unlink(missing_ok=True)
        (path / name).symlink_to(ROOT / folder)
    paths = os.pathsep.join([str(path), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": paths}


class Runner:
    """Runs commands until the time is over."""

    def __init__(self, out, seconds):
        self.out = out
        self.env = environment(out)
        self.end = time.monotonic() + seconds
        self.lock = Lock()

    def left(self):
        """Seconds."""
        return self.end - time.monotonic()

    def pgolf(self, log, *words):
        """(status, processor seconds) of a command whose lines go to `log`; (-1, 0) where the time is over."""
        command = [sys.executable, "-c", ONE_THREAD, *map(str, words)]
        with log.open("wb") as file:
            child = subprocess.Popen(
                command, cwd=self.out, env=self.env, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )
            while True:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    child.returncode = os.waitstatus_to_exitcode(status)
                    return child.returncode, usage.ru_utime + usage.ru_stime
                if self.left() <= 0:
                    os.killpg(child.pid, signal.SIGKILL)
                    os.wait4(child.pid, 0)
                    child.returncode = -1
                    return -1, 0.0
                time.sleep(0.1)

    def keep(self, entry):
        """Write a recipe's line, and say it."""
        with self.lock:
            with (self.out / "recipes.jsonl").open("a") as file:
                print(json.dumps(entry), file=file)
            failed = entry.get("message") or entry.get("failed") or ""
            said = (failed[-1:] or [""])[0] if isinstance(failed, list) else str(failed)
            print(f"{entry['recipe']}: {entry['state']} {entry['seconds']} {said[:200]}", flush=True)

    def recipe(self, name, sets):
        """All the way; stops at the first stage that fails."""
        folder, logs = self.out / "folders" / name, self.out / "logs"
        shutil.rmtree(folder, ignore_errors=True)
        entry = {"recipe": name, "state": "not begun: the time was over", "seconds": {}, "cpu_seconds": {}}
        stages = (
            ("build", ["build", "--smoke", ROOT / "submissions" / name, *sets, "-o", folder]),
            ("train", ["train", folder]),
            ("package", ["package", folder, "--author", "Ada", "--github-id", "ada"]),
            ("verify", ["verify", folder, "--json"]),
        )
        for stage, words in stages:
            if self.left() <= 0:
                break
            begin, log = time.monotonic(), logs / f"{name}.{stage}.txt"
            status, used = self.pgolf(log, *words)
            entry["seconds"][stage] = round(time.monotonic() - begin, 1)
            entry["cpu_seconds"][stage] = round(used, 1)
            entry["state"] = "verifies" if stage == "verify" and status == 0 else f"{stage} done"
            if status:
                entry["state"] = f"ended in {stage}: the time was over" if status == -1 else f"{stage} failed"
                text = log.read_text(errors="replace")
                entry |= failed_checks(text) if stage == "verify" else {}
                if "failed" not in entry:
                    entry["message"] = text.splitlines()[-LAST_LINES:]
                break
        self.keep(entry)


def failed_checks(text):
    """The checks of a report that failed, as {"failed": [...]}; {} for what is no report."""
    try:
        rows = json.loads(text[text.index("{") :])["checks"]
    except (ValueError, KeyError):
        return {}
    return {"failed": [f"{row['id']}: {row['message']}" for row in rows if row["status"] == "FAIL"]}


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("out", type=Path)
    command.add_argument("names", nargs="*")
    command.add_argument("--jobs", type=int, default=os.cpu_count())
    command.add_argument("--minutes", type=float, default=60.0)
    command.add_argument("--set", action="append", default=[], dest="sets", metavar="KEY=VALUE")
    arguments = command.parse_args()
    out = arguments.out.resolve()
    for folder in ("folders", "logs"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    runner = Runner(out, 60 * arguments.minutes)
    # All take these two; made by several at once, each would be made several times.
    for number, words in enumerate(([], ["--transform", "caseops"])):
        log = out / "logs" / f"sample{number}.txt"
        if runner.pgolf(log, "data", "sample", *words)[0]:
            sys.exit("no sample: " + " ".join(log.read_text().splitlines()[-LAST_LINES:]))
    file = out / "recipes.jsonl"
    entries = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {entry["recipe"] for entry in entries if "time was over" not in entry["state"]}
    every = sorted(path.parent.name for path in (ROOT / "submissions").glob("*/recipe.toml"))
    names = [name for name in arguments.names or every if name not in done]
    # The late records take longest: they begin first.
    names.sort(key=lambda name: -(ROOT / "submissions" / name / "recipe.toml").stat().st_size)
    sets = [word for one in arguments.sets for word in ("--set", one)]
    with ThreadPoolExecutor(arguments.jobs) as threads:
        list(threads.map(lambda name: runner.recipe(name, sets), names))
    entries = {entry["recipe"]: entry for entry in map(json.loads, file.read_text().splitlines())}
    good = sum(entry["state"] == "verifies" for entry in entries.values())
    print(f"{good} of {len(every)} verify; {sum(map(cpu_seconds, entries.values())):.0f} s of the processor")


def cpu_seconds(entry):
    """Of all stages."""
    return sum(entry["cpu_seconds"].values())


if __name__ == "__main__":
    main()
