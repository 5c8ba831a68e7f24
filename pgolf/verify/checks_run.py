"""Checks that run the submission in a sandbox: two equal smoke runs, and decoding and scoring the artifact.

What they show depends on whose program runs. One that pgolf has built again from the lock trains and scores as its plugins do.
A foreign program is only taken at its word: it may know its score and its artifact by heart.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.lock import Lock
from pgolf.logs import RunRecord
from pgolf.needs import how_to_install, missing_needs
from pgolf.run.data import VAL_GLOB, DataPaths, find_data
from pgolf.run.launch import smoke_threads
from pgolf.verify.checks_artifact import artifact_problem
from pgolf.verify.folder import View, printable
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated
from pgolf.verify.runs import Permit, Ran, exact_finals, execute, permit, scratch
from pgolf.verify.sandbox import Refused, has_gpu

NOT_ASKED = "not run; give --run to execute the submission in a sandbox"
NOT_HERE = "what the program needs is not here: {}"
OWN_WORD = "; by its own word, since it is foreign code"
BPB_TOLERANCE = 1e-6


def not_ready(view: View) -> str:
    """Why nothing is run, or ""."""
    lock, code = view.lock[0], view.code[0]
    if not view.run.enabled:
        return NOT_ASKED
    if lock is None or code is None:
        return "needs train_gpt.py and a usable pgolf.lock"
    missing = missing_needs(lock.needs, smoke=lock.smoke)
    return NOT_HERE.format(how_to_install(missing)) if missing else ""


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
    if reason := not_ready(view):
        return skipped(reason)
    assert lock is not None and code is not None
    try:
        permitted = permit(view)
    except Refused as refused:
        return skipped(str(refused))
    if not lock.smoke and not permitted.reproduced:
        return skipped("the lock's smoke variant says nothing of a train_gpt.py that was not built again from it")
    with scratch() as work:
        try:
            code = code if lock.smoke else smoke_code(view, lock)
            paths = _smoke_data(view, lock, work)
        except PgolfError as error:
            return violated(f"the smoke variant cannot be made: {printable(error.message)}")
        return _run_twice(view, permitted, work, code, paths)


def _run_twice(view: View, permitted: Permit, work: Path, code: bytes, paths: DataPaths) -> Outcome:
    """Two runs that cannot see each other, compared."""
    lock = view.lock[0]
    assert lock is not None
    values = paths.environment() | {
        "SEED": str(_seed(lock)),
        "MAX_WALLCLOCK_SECONDS": "0",
        "OMP_NUM_THREADS": str(smoke_threads()),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    runs: list[Ran] = []
    for number in (1, 2):
        view.run.note(f"run.determinism: run {number} of 2")
        readonly = (paths.data_path, paths.tokenizer_path)
        runs.append(execute(view, permitted, work / f"run{number}", code, values, score=False, readonly=readonly))
        if runs[-1].problem:
            return violated(f"run {number} {runs[-1].problem}", **permitted.evidence(), limits=runs[-1].limits)
    return _compare(runs[0], runs[1], permitted, "train_gpt.py" if lock.smoke else "the smoke variant")


def _seed(lock: Lock) -> int:
    seed = lock.settings.get("seed")
    return seed if isinstance(seed, int) and 0 <= seed < 2**63 else 1337


def _compare(first: Ran, second: Ran, permitted: Permit, what: str) -> Outcome:
    evidence: dict[str, Any] = {
        "artifact_sha256": [first.artifacts, second.artifacts],
        "final": [first.score, second.score],
        **permitted.evidence(),
        "limits": first.limits,
    }
    if not first.artifacts:
        return violated("the runs left no artifact", **evidence)
    if first.artifacts != second.artifacts:
        return violated("the artifacts of two runs with one seed differ", **evidence)
    if first.finals != second.finals:
        return violated(f"the scores differ: {first.score[-1]} and {second.score[-1]}", **evidence)
    own_word = "" if permitted.reproduced else OWN_WORD
    return passed(f"two runs of {what}: equal artifact, {first.score[-1]}{own_word}", **evidence)


def smoke_code(view: View, lock: Lock) -> bytes:
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
    if reason := not_ready(view):
        return skipped(reason)
    assert lock is not None and code is not None
    jobs = {
        record.seed: record
        for record in view.logs.values()
        if record.seed is not None and record.seed in view.artifacts and exact_finals(record)
    }
    if not jobs:
        return skipped("needs artifacts/seed*/final_model.*.ptz and their logs: the folder that pgolf train wrote")
    if any(record.gpus for record in jobs.values()) and not has_gpu():
        return skipped("the logs were made on a GPU, and there is none here: run verify on such a machine")
    for seed, record in jobs.items():
        if problem := artifact_problem(view.artifacts[seed], record):
            return violated(f"seed {seed}: {problem}")
    try:
        permitted = permit(view)
    except Refused as refused:
        return skipped(str(refused))
    with scratch() as work:
        try:
            paths = _score_data(view, lock, work)
        except PgolfError as error:
            return skipped(f"no validation data: {printable(error.message)}; give --data DIR")
        return _score_all(view, permitted, work, code, jobs, paths)


def _score_all(
    view: View, permitted: Permit, work: Path, code: bytes, jobs: dict[int, RunRecord], paths: DataPaths
) -> Outcome:
    """Every artifact with a log, one after the other."""
    problems: dict[str, str] = {}
    scores: dict[str, list[str]] = {}
    limits = ""
    for seed, record in jobs.items():
        view.run.note(f"run.score: seed {seed}")
        ran = _score_one(view, permitted, work / f"seed{seed}", code, seed, record, paths)
        if not ran.problem and (other := _other_data(record, ran.record)):
            return skipped(f"{other}; give the right ones with --data DIR")
        scores[f"seed {seed}"], limits = ran.score, ran.limits
        problem = ran.problem or _score_problem(record, ran.record)
        if problem:
            problems[f"seed {seed}"] = problem
    good = f"{len(jobs)} artifacts get their logged scores" + ("" if permitted.reproduced else OWN_WORD)
    return per_log(problems, good, scores=scores, **permitted.evidence(), limits=limits)


def _other_data(logged: RunRecord, scored: RunRecord) -> str:
    """How the validation data differ from the log's, or ""."""
    if scored.val_tokens != logged.val_tokens:
        return f"the validation data given have {scored.val_tokens} tokens, those of the log {logged.val_tokens}"
    if logged.val_sha256 and scored.val_sha256 != logged.val_sha256:
        return "the validation data given are not those of the log: their SHA-256 differs"
    return ""


def _score_data(view: View, lock: Lock, work: Path) -> DataPaths:
    """Validation shards and tokenizer as they will be copied: of --data, the sample, or the recipe's data_path."""
    if lock.smoke and view.run.data is None:
        return _smoke_data(view, lock, work)
    return find_data(view.run.data, view.run.tokenizer, lock.settings, lock.smoke, lock.side_files)


def _score_one(
    view: View, permitted: Permit, work: Path, code: bytes, seed: int, record: RunRecord, paths: DataPaths
) -> Ran:
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
    return execute(view, permitted, work, code, values, score=True)


def _score_problem(logged: RunRecord, scored: RunRecord) -> str:
    """How the scores differ from the log's, or ""."""
    wanted = {final.label: final for final in exact_finals(logged)}
    found = {final.label: final for final in exact_finals(scored)}
    if set(wanted) != set(found):
        return f"scoring prints {len(found)} final lines that are not the {len(wanted)} of the log"
    for number, (label, final) in enumerate(wanted.items(), 1):
        if not abs(float(final.val_bpb) - float(found[label].val_bpb)) < BPB_TOLERANCE:
            return f"final line {number} is {found[label].val_bpb} BPB when decoded again, the log says {final.val_bpb}"
    return ""
