"""Damages submission folders at random and verifies them: seconds of the processor and memory that the worst one takes.

    python benchmarks/fuzz_verify.py --count 20000 --first 0 --folders DIR

A folder is fabricated or, with `--folders DIR`, a copy of one of its subfolders (or of its `files`); a few of its files are
flipped, cut, doubled, exchanged or filled with pieces that mean something to a reader. The report must come, be one document,
and hold every check.
Folders are made and read by children as those of `pgolf verify` are, under its limits; `--first` with a number makes one again.
Building again (`lock.rebuild`) is left out.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from mutations import KINDS, copy_of, good_folder, mutate, random_step  # noqa: E402

from pgolf.manager import Registry  # noqa: E402
from pgolf.verify.bounded import WALL_SECONDS, Held, Job, collect, judge, preload, report_of  # noqa: E402
from pgolf.verify.folder import View  # noqa: E402
from pgolf.verify.report import all_checks  # noqa: E402
from pgolf.verify.workers import Done, Workers  # noqa: E402


def make(folder: Path) -> View:
    """What the checks see; no plugins."""
    return View(folder, Registry)


def damaged(number: int, place: Path, sources: list[Path]) -> Path:
    """The folder of this number."""
    chance = random.Random(number)
    if sources and chance.random() < 0.5:
        folder = copy_of(chance.choice(sources), place / "toy")
    else:
        folder = good_folder(place / "toy", chance.choice(KINDS))
    for _ in range(chance.randrange(1, 7)):
        mutate(folder, random_step(chance, folder))
    return folder


def work(number: int, write: Callable[[bytes], object], held: Held, sources: list[Path]) -> bool:
    """In a child: make, read, and write what reading took."""
    with tempfile.TemporaryDirectory() as name:
        job = Job(damaged(number, Path(name), sources))
        before = time.process_time()
        more = judge(job, held, make, True, write)
        seconds = time.process_time() - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    write(json.dumps({"seconds": seconds, "memory": memory}).encode() + b"\n")
    return more


def problem_of(done: Done) -> str:
    """What is wrong with the report, or ""."""
    job = Job(Path("toy"))
    collect(job, done)
    report = report_of(job, make)
    json.dumps(report, allow_nan=False)
    rows = {row["id"]: row for row in report["checks"]}
    if [*rows] != [check.id for check in all_checks()]:
        return "not every check is there"
    broken = [row["message"] for row in rows.values() if "the check itself broke" in row["message"]]
    broken += [f"no record of {name}" for name in rows if name not in (*job.records, *job.later) and not job.reason]
    return broken[0] if broken else "" if rows["pkg.limits"]["status"] == "PASS" else rows["pkg.limits"]["message"]


def main() -> None:
    """Damage, verify, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folders", type=Path)
    options = parser.parse_args()
    folders = sorted(options.folders.iterdir()) if options.folders else []
    sources = [path / "files" if (path / "files").is_dir() else path for path in folders]
    held, worst, problems, done_count = Held(), (0.0, 0.0), Counter[str](), 0
    preload()
    workers = Workers(lambda number, write: work(number, write, held, sources))
    waiting = [*range(options.first, options.first + options.count)][::-1]
    try:
        while waiting or workers.working:
            while waiting and len(workers.working) < options.jobs:
                workers.start(waiting.pop(), 2 * WALL_SECONDS)
            for done in workers.finished():
                done_count += 1
                figures = [json.loads(line) for line in done.data.split(b"\n") if line.startswith(b'{"seconds"')]
                for found in figures:
                    worst = max(worst[0], found["seconds"]), max(worst[1], found["memory"])
                if problem := problem_of(done):
                    problems[problem[:200]] += 1
                    print(f"{done.number}: {problem}", flush=True)
                if done_count % 1000 == 0 or done_count == options.count:
                    text = f"{done_count} folders, at most {worst[0]:.2f} s and {worst[1]:.0f} MiB"
                    print(f"{text}, {sum(problems.values())} problems", flush=True)
    finally:
        workers.close()


if __name__ == "__main__":
    main()
