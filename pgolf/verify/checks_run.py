"""Checks that run the submission in a sandbox: two equal smoke runs, and decoding and scoring the artifact."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pgolf.errors import PgolfError
from pgolf.lock import Lock, file_hash
from pgolf.logs import FinalLine, RunRecord, parse_log
from pgolf.needs import how_to_install, missing_needs
from pgolf.run.data import VAL_GLOB, DataPaths, find_data
from pgolf.run.launch import error_line, smoke_threads
from pgolf.verify.folder import CODE_NAME, LOG_LIMIT, View, printable
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated
from pgolf.verify.sandbox import Finished, has_gpu, run_program

NOT_ASKED = "not run; give --run to execute the submission in a sandbox"
NOT_HERE = "what the program needs is not here: {}"
BPB_TOLERANCE = 1e-6
RUN_ID = "verify"
ARTIFACT_LIMIT = 2**30


@dataclass(frozen=True)
class Ran:
    """One run of the program: `problem` is "" where it ended well."""

    finished: Finished
    record: RunRecord
    artifacts: dict[str, str]
    problem: str

    @property
    def score(self) -> tuple[str, ...]:
        """Labels and texts of the exact final lines."""
        return tuple(f"{final.label} {final.val_loss} {final.val_bpb}" for final in exact_finals(self.record))


def exact_finals(record: RunRecord) -> list[FinalLine]:
    """The lines that are compared."""
    return [final for final in record.finals if final.exact]


def execute(
    view: View, work: Path, code: bytes, values: dict[str, str], score: bool, hide: tuple[Path, ...] = ()
) -> Ran:
    """Run train_gpt.py in `work`, training or scoring."""
    work.mkdir(parents=True, exist_ok=True)
    (work / CODE_NAME).write_bytes(code)
    arguments = [CODE_NAME, "score"] if score else [CODE_NAME]
    finished = run_program(arguments, work, {**values, "RUN_ID": RUN_ID}, view.run.timeout, hide)
    log = work / "logs" / f"{RUN_ID}.txt"
    record = parse_log(read_own(log, work))
    artifacts = {path.name: file_hash(path) for path in sorted(work.glob("final_model.*.ptz")) if own_file(path, work)}
    problem = ""
    if finished.timed_out:
        problem = f"did not end within {view.run.timeout:g} s (--timeout)"
    elif finished.status != 0:
        problem = f"ended with status {finished.status}: {error_line(finished.output.splitlines())[:300]}"
    elif not exact_finals(record):
        problem = "ended without a final score"
    return Ran(finished, record, artifacts, printable(problem))


def own_file(path: Path, work: Path) -> bool:
    """A regular file that really lies in `work`: what a program leaves may be a link or a pipe."""
    return path.is_file() and path.resolve().is_relative_to(work)


def read_own(path: Path, work: Path) -> str:
    """A bounded part of a text that a program left, "" where it left none."""
    if not own_file(path, work):
        return ""
    with path.open("rb") as file:
        return file.read(LOG_LIMIT).decode("utf-8", errors="replace")


@check(
    "run.determinism",
    "FAIL",
    "two runs with one seed give the same artifact and the same score",
    "pgolf: determinism",
    "the second run's artifact has another SHA-256",
)
def check_determinism(view: View) -> Outcome:
    """The smoke variant, twice, without a wall-clock budget."""
    lock, code = view.lock[0], view.code[0]
    if not view.run.enabled:
        return skipped(NOT_ASKED)
    if lock is None or code is None:
        return skipped("needs train_gpt.py and a usable pgolf.lock")
    if missing := missing_needs(lock.needs, smoke=True):
        return skipped(NOT_HERE.format(how_to_install(missing)))
    with tempfile.TemporaryDirectory(prefix="pgolf-verify-", ignore_cleanup_errors=True) as name:
        work = Path(name).resolve()
        try:
            code = code if lock.smoke else _smoke_code(view, lock)
            paths = _smoke_data(view, lock, work)
        except PgolfError as error:
            return violated(f"the smoke variant cannot be made: {printable(error.message)}")
        values = paths.environment() | {
            "SEED": str(_seed(lock)),
            "MAX_WALLCLOCK_SECONDS": "0",
            "OMP_NUM_THREADS": str(smoke_threads()),
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        runs = []
        for number in (1, 2):
            view.run.note(f"run.determinism: run {number} of 2")
            runs.append(execute(view, work / f"run{number}", code, values, score=False))
            if runs[-1].problem:
                return violated(f"run {number} {runs[-1].problem}", **runs[-1].finished.evidence())
    return _compare(runs[0], runs[1])


def _seed(lock: Lock) -> int:
    seed = lock.settings.get("seed")
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else 1337


def _compare(first: Ran, second: Ran) -> Outcome:
    evidence = {
        "artifact_sha256": [first.artifacts, second.artifacts],
        "final": [list(first.score), list(second.score)],
        **first.finished.evidence(),
    }
    if not first.artifacts:
        return violated("the runs left no artifact", **evidence)
    if first.artifacts != second.artifacts:
        return violated("the artifacts of two runs with one seed differ", **evidence)
    if first.score != second.score:
        return violated(f"the scores differ: {first.score[-1]} and {second.score[-1]}", **evidence)
    return passed(f"two runs: equal artifact, {first.score[-1]}", **evidence)


def _smoke_code(view: View, lock: Lock) -> bytes:
    """The smoke variant of a full-size build."""
    from pgolf.submission import make, smoke_recipe

    registry = view.registry()
    return make(
        smoke_recipe(lock.to_recipe(), registry), registry, lock.pack.get("choice", "auto"), smoke=True
    ).built.code


def _smoke_data(view: View, lock: Lock, work: Path) -> DataPaths:
    """The data given for a smoke build, else the embedded sample: the one in ./data, or a new one in `work`."""
    if lock.smoke and view.run.data is not None:
        return find_data(view.run.data, view.run.tokenizer, lock.settings, True, lock.side_files)
    from pgolf.data.sample import VOCAB_SIZE, ensure_sample, sample_paths
    from pgolf.transforms import transform_of

    here = Path("data")
    transform = transform_of(lock.plugins, lock.settings, view.registry()) if lock.side_files else None
    have = (sample_paths(here, VOCAB_SIZE, transform)[0] / "manifest.json").is_file()
    sample = ensure_sample(here if have else work / "sample", transform=transform)
    return DataPaths(sample.data_path.resolve(), sample.tokenizer_path.resolve())


@check(
    "run.score",
    "FAIL",
    "the artifact, decoded in a fresh process without training data, gets the logged score",
    "challenge README; openai/parameter-golf#677",
    "the artifact scores 1.2504, its log says 1.2500",
)
def check_score(view: View) -> Outcome:
    """Every artifact of the folder."""
    lock, code = view.lock[0], view.code[0]
    if not view.run.enabled:
        return skipped(NOT_ASKED)
    if lock is None or code is None:
        return skipped("needs train_gpt.py and a usable pgolf.lock")
    if missing := missing_needs(lock.needs, lock.smoke):
        return skipped(NOT_HERE.format(how_to_install(missing)))
    jobs = {
        record.seed: record for record in view.logs.values() if record.seed in view.artifacts and exact_finals(record)
    }
    if not jobs:
        return skipped("needs artifacts/seed*/final_model.*.ptz and their logs: the folder that pgolf train wrote")
    if any(record.gpus for record in jobs.values()) and not has_gpu():
        return skipped("the logs were made on a GPU, and there is none here: run verify on such a machine")
    problems: dict[str, str] = {}
    scores: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="pgolf-verify-", ignore_cleanup_errors=True) as name:
        work = Path(name).resolve()
        try:
            paths = _score_data(view, lock, work)
        except PgolfError as error:
            return skipped(f"no validation data: {printable(error.message)}; give --data DIR")
        for seed, record in jobs.items():
            assert seed is not None
            if max(path.stat().st_size for path in view.artifacts[seed].values()) > ARTIFACT_LIMIT:
                return violated(f"the artifact of seed {seed} is larger than {ARTIFACT_LIMIT:,} bytes")
            view.run.note(f"run.score: seed {seed}")
            ran = _score_one(view, work / f"seed{seed}", code, seed, record, paths)
            if not ran.problem and ran.record.val_tokens != record.val_tokens:
                text = f"the validation data given have {ran.record.val_tokens} tokens, those of the log {record.val_tokens}"
                return skipped(f"{text}; give the right ones with --data DIR")
            scores[f"seed {seed}"] = list(ran.score)
            problem = ran.problem or _score_problem(record, ran.record)
            if problem:
                problems[f"seed {seed}"] = problem
    return per_log(problems, f"{len(jobs)} artifacts get their logged scores", scores=scores, **ran.finished.evidence())


def _score_data(view: View, lock: Lock, work: Path) -> DataPaths:
    """Validation shards and tokenizer as they will be copied: of --data, the sample, or the recipe's data_path."""
    if lock.smoke and view.run.data is None:
        return _smoke_data(view, lock, work)
    return find_data(view.run.data, view.run.tokenizer, lock.settings, lock.smoke, lock.side_files)


def _score_one(view: View, work: Path, code: bytes, seed: int, record: RunRecord, paths: DataPaths) -> Ran:
    """Score in a folder that holds the file, one artifact, and validation data alone."""
    work.mkdir(parents=True)
    for file, path in view.artifacts[seed].items():
        shutil.copyfile(path, work / file)
    data = work / "data"
    data.mkdir()
    for shard in sorted(paths.data_path.glob(VAL_GLOB)):
        shutil.copyfile(shard, data / shard.name)
    tokenizer = data / paths.tokenizer_path.name
    shutil.copyfile(paths.tokenizer_path, tokenizer)
    values = DataPaths(data, tokenizer).environment() | {"SEED": str(seed)}
    threads = re.search(r"(\d{1,4}) threads", record.device)
    if threads:
        values |= {"OMP_NUM_THREADS": threads[1], "OMP_WAIT_POLICY": "PASSIVE"}
    return execute(view, work, code, values, score=True, hide=(paths.data_path,))


def _score_problem(logged: RunRecord, scored: RunRecord) -> str:
    """How the scores differ from the log's, or ""."""
    wanted = {final.label: final for final in exact_finals(logged)}
    found = {final.label: final for final in exact_finals(scored)}
    if set(wanted) != set(found):
        return f"scoring prints {', '.join(sorted(found))}, the log has {', '.join(sorted(wanted))}"
    for label, final in wanted.items():
        if not abs(float(final.val_bpb) - float(found[label].val_bpb)) < BPB_TOLERANCE:
            return f"{label} is {found[label].val_bpb} BPB when decoded again, the log says {final.val_bpb}"
    return ""
