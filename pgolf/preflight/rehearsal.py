"""The whole program on this machine: every stage at full shapes, and on so few tokens that it takes seconds.

train      the file itself, its own clock with a budget of seconds: phases begin at their shares of it, or were on in the
           warm-up, which runs every set of phases
later      calibrated, quantized, compressed, decoded, scored and adapted on a short validation shard
score      the artifact alone, without training data, must score the same; and a longer shard, for the time

Nothing is compiled unless that is asked for. An uncompiled step keeps more in memory: where that is too much at full shapes,
all is rehearsed with one sequence at a time, and memory stays unknown.
"""

from __future__ import annotations

import re
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pgolf.data.writer import write_shard
from pgolf.files import write_errors
from pgolf.logs import RunRecord, Stage, parse_log
from pgolf.preflight.finding import Finding, good, problem, unknown
from pgolf.run.data import SIDE_GLOB, TRAIN_GLOB, VAL_GLOB, DataPaths
from pgolf.run.launch import RunOptions, Target, command_line, error_line, run_environment
from pgolf.run.process import stream
from pgolf.runtime.shards import shard_files, shard_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Phase

LONG_TOKENS, SHORTER = 2**22, 4
"""Most tokens of the longer validation shard; the short one has this share of it."""
STEPS_WITHOUT_LIMIT = 40
RUN_ID = "preflight"
STEPS_OF_PHASE = 2
COMPILE = "what the run will need is known with --compile only"
BEGUN = re.compile(r"^phase (\S+) on at step:(\d+) ", re.M)
WARMED = re.compile(r"^warmup_step:\d+/\d+((?: \S+)*)$", re.M)
IDLE = re.compile(r"^error: plugin (\S+) did nothing$", re.M)
OVERDUE = re.compile(r"^error: (what reads training data ended at .*)$", re.M)
STARVED = re.compile(r"OutOfMemoryError: (.*)|CUDA error: (out of memory)|(CUBLAS_STATUS_ALLOC_FAILED)")


@dataclass(frozen=True)
class Plan:
    """What is rehearsed.

    Attributes:
        target: the build; its file is run as it is.
        paths: its data.
        nproc: processes.
        program: its components.
        train_seconds: of training, on top of what the build reserves.
        timed: whether the artifact is scored twice more, for the time.
        tolerance: most that a score on a GPU may be off.
        compiled: as the run will, instead of nothing, to know sooner whether it works.
        fewer: `fewer(folder)` makes, in the folder, the same program with one sequence at a time; None where there is none.
    """

    target: Target
    paths: DataPaths
    nproc: int
    program: Program
    train_seconds: float
    timed: bool
    tolerance: float
    compiled: bool = False
    fewer: Callable[[Path], Target | None] = lambda folder: None


@dataclass
class Rehearsal:
    """What came of it.

    Attributes:
        compiled: whether the program was, as in the run.
        starved: memory was too little for full shapes, uncompiled: what is here is of one sequence at a time.
        full_tokens: of the whole validation split.
        late: phases of scoring that did not begin.
        runs: (validation tokens, stages) of the whole program and of the scores after it.
    """

    findings: list[Finding] = field(default_factory=list)
    compiled: bool = False
    starved: bool = False
    record: RunRecord | None = None
    full_tokens: int = 0
    late: list[str] = field(default_factory=list)
    start_seconds: float | None = None
    runs: list[tuple[int, list[Stage]]] = field(default_factory=list)


def rehearse(plan: Plan, note: Callable[[str], object]) -> Rehearsal:
    """Run it in `artifacts/preflight`; the folder goes, unless something is wrong."""
    folder = (plan.target.root / "artifacts" / "preflight").resolve()
    with write_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    found = Rehearsal(compiled=plan.compiled)
    tokens = cut_data(plan, folder)
    found.full_tokens = sum(shard_length(path) for path in shard_files(plan.paths.data_path / VAL_GLOB))
    note(f"rehearsing {plan.target.script} on {tokens[0]:,} validation tokens")
    whole_program(plan, folder, tokens[0], found, note)
    if found.starved and (smaller := plan.fewer(folder)) is not None:
        note("out of memory with nothing compiled: again with one sequence at a time")
        plan = replace(plan, target=smaller)
        whole_program(plan, folder, tokens[0], found, note)
    if found.starved and found.record is None:
        found.findings.append(unknown("program", "it could not be tried to its end with nothing compiled", COMPILE))
    if found.record is not None:
        score_alone(plan, folder, tokens if plan.timed else tokens[:1], found, note)
    if not any(one.state == "problem" for one in found.findings):
        shutil.rmtree(folder, ignore_errors=True)
    return found


def cut_data(plan: Plan, folder: Path) -> list[int]:
    """`train/` with all training shards and a short validation shard, `score0/` and `score1/` with validation alone."""
    source = plan.paths.data_path
    whole = sum(shard_length(path) for path in shard_files(source / VAL_GLOB))
    long = min(whole, LONG_TOKENS)
    tokens = [max(long // SHORTER, min(whole, int(plan.target.settings.get("eval_seq_len") or 0) + 1)), long]
    for name, count in (("train", tokens[0]), ("score0", tokens[0]), ("score1", tokens[1])):
        (folder / name).mkdir()
        for glob in (VAL_GLOB, SIDE_GLOB) if plan.target.side_files else (VAL_GLOB,):
            kind = "val_bytes" if glob == SIDE_GLOB else "val"
            write_shard(folder / name / f"fineweb_{kind}_000000.bin", first_entries(source / glob, count))
    for path in shard_files(source / TRAIN_GLOB):
        (folder / "train" / path.name).symlink_to(path.resolve())
    return tokens


def first_entries(pattern: Path, count: int) -> np.ndarray:
    """The first `count` entries of all files together."""
    parts, left = [], count
    for path in shard_files(pattern):
        parts.append(np.fromfile(path, "<u2", left, offset=1024))
        left -= len(parts[-1])
        if not left:
            break
    return np.concatenate(parts)


def budget(plan: Plan) -> RunOptions:
    """Seconds above what is reserved, where the build has a clock; else few steps."""
    options = RunOptions(plan.paths, plan.nproc)
    if plan.target.smoke:
        return options
    if float(plan.target.settings.get("max_wallclock_seconds", 0)) > 0:
        return replace(options, max_wallclock_seconds=(plan.program.reserve or 0.0) + plan.train_seconds)
    return replace(options, iterations=min(STEPS_WITHOUT_LIMIT, int(plan.target.settings.get("iterations", 0))))


def run(
    plan: Plan, folder: Path, data: str, name: str, words: Sequence[str], on_line: Callable[[str], object]
) -> tuple[int, list[str]]:
    """(status, last lines) of the program on the data in `folder/data`; its log is called `name`."""
    options = replace(budget(plan), data=DataPaths(folder / data, plan.paths.tokenizer_path))
    env = run_environment(plan.target, int(plan.target.settings["seed"]), options) | {"RUN_ID": name}
    env |= {} if plan.compiled else {"TORCHDYNAMO_DISABLE": "1"}
    tail: deque[str] = deque(maxlen=200)

    def receive(line: str) -> None:
        tail.append(line)
        on_line(line)

    command = [*command_line(plan.target.script.resolve(), options), *words]
    return stream(command, folder, env, receive), [*tail]


def whole_program(plan: Plan, folder: Path, tokens: int, found: Rehearsal, note: Callable[[str], object]) -> None:
    """Train to score, and what its log says of phases, receipts and memory."""
    begin = time.monotonic()
    found.start_seconds = None

    def watch(line: str) -> None:
        if found.start_seconds is None and line.startswith("step:"):
            found.start_seconds = time.monotonic() - begin
        if line.startswith(("stage:", "phase ", "error", "prepared ")):
            note(f"  {line}")

    status, tail = run(plan, folder, "train", RUN_ID, (), watch)
    path = folder / "logs" / f"{RUN_ID}.txt"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    record = parse_log(text)
    late = late_phases(text, plan.program)
    lines = [*text.splitlines(), *tail]
    excused = status == 1 and only_excused(lines, {spec.plugin for spec in late}, plan.compiled)
    if status and starves(plan, lines, found):
        return
    if (status and not excused) or not record.finished:
        said = error_line(tail) or f"the program ended with status {status}"
        found.findings.append(problem("program", said, f"its log: {path}"))
        return
    found.record = record
    found.late = [spec.name for spec in late if spec.scoring]
    found.runs.append((tokens, record.stages))
    how = ", with one sequence at a time" if found.starved else ""
    stages = ", ".join(stage.name for stage in record.stages)
    found.findings.append(good("program", f"{record.steps} steps, then {stages}{how}"))
    found.findings += judge_phases(text, plan.program, record.steps or 0)
    if overdue := OVERDUE.search(text):
        found.findings.append(unknown("reserve", f"with nothing compiled, {overdue[1]}", COMPILE))
    if record.peak_mib and not found.starved:
        bound = "" if plan.compiled else ", and less with compiled code"
        found.findings.append(good("memory", f"{record.peak_mib:,} MiB of the GPU at most while training{bound}"))


def starves(plan: Plan, lines: Sequence[str], found: Rehearsal) -> bool:
    """Was memory too little only because nothing is compiled, as far as anybody can tell? The first time, that is a finding."""
    said = next((match for line in lines if (match := STARVED.search(line))), None)
    if plan.compiled or said is None:
        return False
    if not found.starved:
        text = f"not enough at full shapes with nothing compiled: {(said[1] or said[2] or said[3])[:120]}"
        found.findings.append(unknown("memory", text, COMPILE))
    found.starved = True
    return True


def only_excused(lines: Sequence[str], late: set[str], compiled: bool) -> bool:
    """Did plugins do nothing whose phase did not begin, or uncompiled code take too long, and was nothing else wrong?"""
    errors = [line for line in lines if line.startswith(("error", "Traceback"))]
    idle = [line for line in errors if (match := IDLE.match(line)) and match[1] in late]
    slow = [] if compiled else [line for line in errors if OVERDUE.match(line)]
    return bool(errors) and len(idle) + len(slow) == len(errors)


def late_phases(text: str, program: Program) -> list[Phase]:
    """Those that did not begin: by a step that the rehearsal does not reach."""
    begun = {name for name, _ in BEGUN.findall(text)}
    return [spec for spec in program.phases if spec.name not in begun]


def judge_phases(text: str, program: Program, steps: int) -> list[Finding]:
    """Every phase had steps: in training, or in the warm-up of its compiled forms."""
    if not program.phases:
        return []
    begun = {name: int(step) for name, step in BEGUN.findall(text)}
    warmed = [set(names.split()) for names in WARMED.findall(text)]
    findings, seen = [], []
    for spec in program.phases:
        trained = max(steps - begun[spec.name], 0) if spec.name in begun else 0
        warm = sum(spec.name in names for names in warmed)
        seen.append(f"{spec.name} {trained}+{warm}")
        if trained + warm < STEPS_OF_PHASE:
            text_of = f"{spec.name} had {trained + warm} steps, wanted {STEPS_OF_PHASE}"
            findings.append(unknown("phases", text_of, "give more --train-seconds"))
        elif spec.name not in begun:
            text_of = f"{spec.name} begins later than the rehearsal goes: what follows training was tried without it"
            findings.append(unknown("phases", text_of, "give more --train-seconds"))
    return findings or [good("phases", f"steps trained+warmed up: {', '.join(seen)}")]


def score_alone(
    plan: Plan, folder: Path, tokens: Sequence[int], found: Rehearsal, note: Callable[[str], object]
) -> None:
    """The artifact without training data: the same score on the same tokens."""
    assert found.record is not None
    for number, count in enumerate(tokens):
        note(f"scoring the artifact alone on {count:,} tokens")
        name = f"{RUN_ID}_score{number}"
        status, tail = run(plan, folder, f"score{number}", name, ("score",), str)
        path = folder / "logs" / f"{name}.txt"
        record = parse_log(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else RunRecord()
        if status and starves(plan, tail, found):
            return
        if status or record.headline is None:
            found.findings.append(problem("score", error_line(tail) or f"status {status}", f"its log: {path}"))
            return
        found.runs.append((count, record.stages))
        if number == 0:
            found.findings.append(judge_score(found.record, record, found.late, plan))


def judge_score(whole: RunRecord, alone: RunRecord, late: Sequence[str], plan: Plan) -> Finding:
    """Two scores of one artifact; an artifact alone is scored with every phase on."""
    assert whole.headline is not None and alone.headline is not None
    one, other = whole.headline.val_bpb, alone.headline.val_bpb
    if late:
        return unknown("score", f"alone {other}: with {', '.join(late)} on, which did not begin in the rehearsal")
    text = f"the artifact alone scores {other}, with its training {one}"
    if one == other or (not plan.target.smoke and abs(float(one) - float(other)) <= plan.tolerance):
        return good("score", text)
    return problem("score", text, "an evaluation may depend on the training process, which nobody can repeat")
