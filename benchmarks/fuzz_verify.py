"""Damages submission folders at random and verifies them: seconds of the processor and memory that the worst one takes.

    python benchmarks/fuzz_verify.py --count 20000 --seed 1

A folder is fabricated or, with `--folders DIR`, a copy of one of its subfolders; a few of its files are flipped, cut, doubled,
exchanged or filled with pieces that mean something to a reader. The report must come, be one document, and hold every check.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import shutil
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from folders import PROGRAM, make_folder  # noqa: E402
from foreign import baseline_log, compact_log, foreign_folder, table_log  # noqa: E402

from pgolf.manager import Registry  # noqa: E402
from pgolf.verify.bounded import verify_bounded  # noqa: E402
from pgolf.verify.folder import View  # noqa: E402
from pgolf.verify.report import all_checks  # noqa: E402

PIECES = [
    b"",
    b"nan",
    b"inf",
    b"9" * 30,
    b"-",
    b"\n",
    b"\xff",
    b"1e400",
    b"val_bpb:",
    b"[" * 50,
    b"step:1/2 ",
    b"\x00",
    b'"',
]
PIECES += [
    b'"""',
    b"exec(",
    b"'''",
    b"{",
    b"seed:2\n",
    b"step 10 | loss 9.85\n",
    b"(" * 60,
    b"\xff\xfe",
    b" ws:1 " * 600,
    b"final " * 600,
]


def fabricate(chance: random.Random, place: Path) -> Path:
    """A good folder of one kind."""
    kind = chance.choice(["built", "plain", "packed", "foreign", "one file"])
    if kind in ("foreign", "one file"):
        texts = [chance.choice([baseline_log, table_log, compact_log])(seed) for seed in (1, 2, 3)]
        logs = (
            {"train.log": "".join(texts)}
            if kind == "one file"
            else {f"train_seed{n}.log": t for n, t in enumerate(texts, 1)}
        )
        return foreign_folder(place, logs)
    code = PROGRAM.encode()
    if kind == "packed":
        code = b"import zlib\nexec(zlib.decompress(%r))\n" % zlib.compress(code)
    folder = make_folder(place / "toy", code, seeds=(1337, 42))
    if kind != "built":
        (folder / "pgolf.lock").unlink()
    return folder


def damage(chance: random.Random, folder: Path) -> None:
    """A few changes to its files."""
    for _ in range(chance.randrange(1, 7)):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if not files:
            return
        path = chance.choice(files)
        data = bytearray(path.read_bytes())
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] ^= chance.randrange(1, 256)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data = data[:at] + data
        elif kind == 3:
            data = bytearray(chance.choice(files).read_bytes())
        elif kind == 4:
            data[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 3, 400))
        else:
            data = bytearray(gzip.compress(bytes(data)))
        path.write_bytes(data)


def verify(folder: Path) -> str:
    """What is wrong with the report, or ""."""
    ((report, _),) = verify_bounded([folder], lambda root: View(root, Registry), 1, drawn=True)
    json.dumps(report, allow_nan=False)
    rows = {row["id"]: row for row in report["checks"]}
    if [*rows] != [check.id for check in all_checks()]:
        return "not every check is there"
    broken = [row["message"] for row in rows.values() if "the check itself broke" in row["message"]]
    return broken[0] if broken else "" if rows["pkg.limits"]["status"] == "PASS" else rows["pkg.limits"]["message"]


def main() -> None:
    """Damage, verify, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folders", type=Path)
    options = parser.parse_args()
    chance, worst, problems = random.Random(options.seed), 0.0, dict[str, int]()
    sources = sorted(options.folders.iterdir()) if options.folders else []
    for number in range(options.count):
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)
            if sources and chance.random() < 0.5:
                folder = Path(shutil.copytree(chance.choice(sources), place / "toy", copy_function=shutil.copyfile))
                for path in folder.rglob("*"):
                    path.chmod(0o755)
            else:
                folder = fabricate(chance, place)
            damage(chance, folder)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            problem = verify(folder)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        worst = max(worst, seconds)
        if problem:
            problems[problem[:200]] = problems.get(problem[:200], 0) + 1
            print(f"{number}: {problem}", flush=True)
        if number % 500 == 499 or number == options.count - 1:
            memory = after.ru_maxrss / 1024
            print(
                f"{number + 1} folders, at most {worst:.2f} s and {memory:.0f} MiB, {sum(problems.values())} problems",
                flush=True,
            )


if __name__ == "__main__":
    main()
