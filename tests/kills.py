"""kill -9 at random moments: each operation runs in a fork that is killed, is looked at, and then runs again to its end.

An operation is repeated on a folder that holds an older complete result half of the time. What must hold after a kill: the
old result or the new one is there as a whole, or neither is and nothing takes what is there for one; the same operation then
works, gives the same as without a kill, and leaves nothing else behind.
"""

import contextlib
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from folders import PROGRAM, make_data, make_folder
from micro import make_corpus
from models import registry
from requant.sweeps import no_build, plan, weights

from pgolf.data.manifest import damaged_files, read_manifest
from pgolf.data.tokenize import Options, tokenize
from pgolf.lock import file_hash, read_lock
from pgolf.logs import parse_log
from pgolf.requant import sweep
from pgolf.run import checkpoints, resume
from pgolf.run.data import find_data
from pgolf.run.launch import RunOptions, Target, run_seed
from pgolf.run.package import People, package
from pgolf.submission import Made, write_submission


@dataclass
class Operation:
    """What is killed.

    Attributes:
        run: does it in a folder; the number says whether the old or the new result.
        check: raises AssertionError where the folder, after a kill, holds half of anything.
        result: what a whole run leaves, to be compared.
    """

    name: str
    prepare: Callable[[Path], object]
    run: Callable[[Path, int], object]
    check: Callable[[Path, bool], object]
    result: Callable[[Path], object]


def content(folder):
    """name -> bytes, of files that a user would see or that were left behind."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def build_operation(made: Made, older: Made) -> Operation:
    """Writing a build."""

    def check(folder, had_old):
        """The file fits the lock, or the same command may write it again; `check_target` would refuse another's file."""
        code, lock = folder / "train_gpt.py", folder / "pgolf.lock"
        assert not code.exists() or lock.exists(), "the next build would refuse its own file"
        assert not had_old or code.exists()
        if code.exists():
            assert file_hash(code) in (made.lock.code_sha256, older.lock.code_sha256), "half a file"
        if lock.exists():
            read_lock(folder)

    return Operation(
        "build", lambda folder: None, lambda folder, new: write_submission((older, made)[new], folder), check, content
    )


def package_operation() -> Operation:
    """Writing the metadata of a trained folder."""

    def check(folder, had_old):
        path = folder / "submission.json"
        assert path.exists() or not had_old
        if path.exists():
            assert json.loads(path.read_text())["author"] in ("0", "1")

    def prepare(folder):
        make_folder(folder)
        (folder / "submission.json").unlink()

    return Operation(
        "package", prepare, lambda folder, new: package(folder, People(str(new)), force=True), check, content
    )


def train_operation(data: Path) -> Operation:
    """A run of a stand-in program; the new one has another artifact, by another constant in its code."""
    codes = (
        PROGRAM,
        PROGRAM.replace('b"model" *', "import_time.sleep(0.05) or b'other' *").replace(
            "import hashlib", "import time as import_time, hashlib"
        ),
    )

    def run(folder, new):
        (folder / "train_gpt.py").write_text(codes[new])
        target = Target(folder, folder / "train_gpt.py", {"seed": 7}, (), True)
        done = run_seed(target, 7, RunOptions(find_data(data, None, {}, False)), lambda line: None)
        assert not done.problem, done.problem

    def whole(folder):
        """The artifacts that have a complete log beside them."""
        for log in folder.glob("artifacts/*/logs/*.txt"):
            record = parse_log(log.read_text())
            for artifact in log.parent.parent.glob("final_model.*.ptz"):
                if record.finished and record.artifact_sha256 == file_hash(artifact):
                    yield artifact.read_bytes()

    def check(folder, had_old):
        assert not had_old or [*whole(folder)], "the complete artifact is gone"
        for log in folder.glob("logs/*.log"):
            assert parse_log(log.read_text()).finished, "half a log"
        end = time.monotonic() + 30
        while any(str(folder).encode() in line for line in command_lines()) and time.monotonic() < end:
            time.sleep(0.02)
        assert time.monotonic() < end, "the program goes on"

    def result(folder):
        assert not [*folder.rglob("*.part")]
        return (folder / "artifacts/seed7/final_model.int8.ptz").read_bytes(), [*whole(folder)][:1] != []

    return Operation("train", lambda folder: make_folder(folder, trained=False), run, check, result)


def command_lines():
    """Of all processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes()


def tokenize_operation(corpus: Path, model: Path) -> Operation:
    """Thirteen shards; the new data set has other ones."""

    def run(folder, new):
        tokenize(
            [corpus],
            model,
            folder / "set",
            Options(val_documents=3, shard_tokens=(150, 200)[new], workers=1, force=True),
        )

    def check(folder, had_old):
        data = folder / "set"
        assert data.exists() or not had_old, "the old data set is gone"
        if data.exists():
            manifest = read_manifest(data)
            assert manifest is not None and damaged_files(data, manifest) == [], "half a data set"
            assert {path.name for path in data.iterdir()} == {*manifest["files"], "manifest.json"}, (
                "two data sets in one"
            )

    return Operation("tokenize", lambda folder: folder.mkdir(), run, check, content)


def checkpoint_operation() -> Operation:
    """Three checkpoints one after the other, as a run with two ranks writes them; the new run has other numbers."""

    def run(folder, new):
        for step in (2, 4, 6):
            part = folder / "checkpoints" / f".step_{step:08d}.part"
            part.mkdir(parents=True, exist_ok=True)
            for rank in (0, 1):
                numbers = torch.arange(50_000.0) + rank + 10 * new
                checkpoints.write(part / f"rank{rank}.pt", {"step": step, "numbers": numbers})
            checkpoints.publish(part, folder / "checkpoints" / f"step_{step:08d}", failed=False)

    def whole(path):
        """The numbers of both ranks."""
        parts = [checkpoints.read(path / f"rank{rank}.pt") for rank in (0, 1)]
        assert {part["step"] for part in parts} == {int(path.name[5:])}
        return [part["numbers"].sum().item() for part in parts]

    def check(folder, had_old):
        found = resume.complete(folder / "checkpoints")
        assert found or not had_old, "every checkpoint is gone"
        for path in found:
            assert len(whole(path)) == 2

    def result(folder):
        return {path.name: whole(path) for path in sorted((folder / "checkpoints").iterdir())}

    return Operation("checkpoint", lambda folder: folder.mkdir(), run, check, result)


def requant_operation(checkpoint, data) -> Operation:
    """A sweep over two clips; the older one is over two others."""

    def run(folder, new):
        torch.set_num_threads(1)
        clips = [{"matrix_clip_sigmas": str(6 * (1 + place) + 5 * new)} for place in (0, 1)]
        sweep.make = no_build
        found = sweep.run_sweep(plan(checkpoint, data, folder / "out", clips)[0], registry())
        assert not found.failed

    def points(folder):
        """clip -> hash of the artifact; a damaged point is none."""
        kept = [sweep.read_result(path) for path in (folder / "out" / "points").glob("*.json")]
        assert None not in kept, "half a point"
        return {point["settings"]["matrix_clip_sigmas"]: point["artifact_sha256"] for point in kept}

    def check(folder, had_old):
        assert len(points(folder)) >= 2 * had_old

    def result(folder):
        assert not [*folder.rglob("*.part")]
        return {clip: digest for clip, digest in points(folder).items() if float(clip) in (11.0, 17.0)}

    return Operation("requant", lambda folder: folder.mkdir(), run, check, result)


def fork(operation: Operation, folder: Path, new: int, kill_after: float | None) -> tuple[int, float]:
    """(wait status, seconds) of an operation in a fork, killed after some seconds."""
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            operation.run(folder, new)
            status = 0
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, 9)
    return os.waitpid(child, 0)[1], time.monotonic() - begin


def kill_at_random(operation: Operation, place: Path, kills: int, seed: int = 1) -> dict[str, int]:
    """Kills an operation often; returns how often it was killed in time and how often it had ended.

    Raises:
        AssertionError: for the first loss.
    """
    chance, counts = random.Random(seed), {"killed": 0, "ended": 0}
    reference = place / f"{operation.name}-reference"
    operation.prepare(reference)
    status, seconds = fork(operation, reference, 1, None)
    assert status == 0
    wanted = operation.result(reference)
    for number in range(kills):
        folder, had_old = place / f"{operation.name}-{number}", number % 2 == 1
        operation.prepare(folder)
        if had_old:
            assert fork(operation, folder, 0, None)[0] == 0
        status, _ = fork(operation, folder, 1, chance.uniform(0, 1.1 * seconds))
        counts["killed" if status else "ended"] += 1
        operation.check(folder, had_old)
        assert fork(operation, folder, 1, None)[0] == 0, f"{operation.name} {number}: it does not work again"
        operation.check(folder, True)
        assert operation.result(folder) == wanted, f"{operation.name} {number}: another result"
        shutil.rmtree(folder)
    return counts


def operations(place: Path, made: Made, older: Made, model: Path) -> list[Operation]:
    """All of them."""
    corpus = place / "docs.jsonl"
    corpus.write_text(
        "".join(json.dumps({"text": f"Document {n} says: {'word ' * (n % 40)}."}) + "\n" for n in range(60))
    )
    data = make_data(place / "data")
    (place / "corpus").mkdir()
    return [
        build_operation(made, older),
        package_operation(),
        train_operation(data),
        tokenize_operation(corpus, model),
        checkpoint_operation(),
        requant_operation(weights(place / "weights"), make_corpus(place / "corpus")),
    ]
