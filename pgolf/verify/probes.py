"""Probes of a folder's script: what may run in which sandbox, what it is given, and a probe's verdict as an outcome."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.probe.probing import Prober, Result
from pgolf.probe.round_trip import round_trip_verdict
from pgolf.probe.shrinking import Sizes
from pgolf.probe.text_probes import given_text, other_text_verdict, overlap_verdict
from pgolf.probe.verdicts import PROBES, Verdict, worst
from pgolf.probe.workshop import Execute, Script, Workshop
from pgolf.run.data import TRAIN_GLOB, VAL_GLOB, find_shards, find_tokenizer
from pgolf.verify.folder import Unreadable, View, printable
from pgolf.verify.registry import Outcome
from pgolf.verify.runs import permit, scratch
from pgolf.verify.sandbox import Refused, Sandbox, open_sandbox, program_limits, run_program

if TYPE_CHECKING:
    from pgolf.lock import Lock

SEEDS = 2**31
BESIDE = 4 * 2**20
"""Most bytes of one file beside the script that it is given."""
BESIDE_ALL = 16 * 2**20
MODEL_LIMIT = 16 * 2**20
WALL = 90.0
"""Most seconds of one execution: scripts are small here, machines may be busy."""


def by_probe(view: View, rule: str) -> Outcome | None:
    """What probes say of a rule; None where none was asked for, or none is about it."""
    if not view.run.probes:
        return None
    if view.probed is None:
        view.probed = run_probes(view)
    result = view.probed
    if isinstance(result, str):
        return Outcome("SKIP", result)
    verdict = result.verdicts.get(rule)
    return None if verdict is None else as_outcome(view, verdict, result)


def as_outcome(view: View, verdict: Verdict, result: Result) -> Outcome:
    """With the command that repeats just this probe."""
    evidence: dict[str, Any] = {"probe": verdict.probe, "seed": result.seed, **dict(verdict.evidence)}
    evidence |= {"findings": [dict(place) for place in verdict.findings]}
    if verdict.probe in PROBES:
        place = shlex.quote(str(view.shown))
        evidence["rerun"] = f"pgolf verify {place} --probe {verdict.probe} --probe-seed {result.seed}"
        evidence["seconds"] = result.seconds.get(verdict.probe, result.seconds.get("executions", 0.0))
    return Outcome(verdict.status, printable(f"{verdict.probe}: {verdict.message}"), evidence)


def run_probes(view: View) -> Result | str:
    """Everything that was asked for, or why nothing was run."""
    try:
        sandbox = sandbox_for(view)
    except Refused as refused:
        return f"not run: {refused}"
    seed = secrets.randbelow(SEEDS) if view.run.probe_seed is None else view.run.probe_seed
    with scratch() as work:
        (work / "probe").mkdir()
        execute = in_sandbox(sandbox)
        try:
            script = script_of(view)
        except PgolfError as error:
            return f"not run: {printable(error.message)}"
        if isinstance(script, str):
            return f"not run: {script}"
        only = () if "all" in view.run.probes else view.run.probes
        prober = Prober(script, work / "probe", execute, seed, only, view.run.note, WALL)
        result = prober.run()
        more = with_data(view, script, work / "text", execute, seed, prober.only)
        result.verdicts |= worst(more)
        return result


def sandbox_for(view: View) -> Sandbox:
    """Foreign code is run in bubblewrap alone; what pgolf has built again, as `--run` does.

    Raises:
        Refused: where there is none.
    """
    if view.lock[0] is not None and view.code[0] is not None:
        try:
            return permit(view).sandbox
        except Refused:
            pass  # it is foreign code: probes are asked for by name, and in a sandbox
    try:
        return open_sandbox(False)
    except Refused as refused:
        raise Refused(f"{refused} (foreign code never runs without one)") from None


def in_sandbox(sandbox: Sandbox) -> Execute:
    """Runs a program and throws away what it prints."""

    def execute(arguments: Sequence[str], work: Path, seconds: float, readonly: Sequence[Path]) -> str:
        done = run_program(arguments, work, {}, program_limits(seconds), readonly, sandbox.kind)
        done.output.unlink()
        return done.excess

    return execute


def script_of(view: View) -> Script | str:
    """The innermost program with the files beside it, or why there is none; of a full-size build its smoke variant."""
    lock, code = view.lock[0], view.code[0]
    if lock is not None and code is not None:
        return built_script(view, lock)
    program = view.program
    if program.tree is None or program.unpacked.text is None:
        return view.code[1] or f"the script cannot be read: {program.unpacked.problem}"
    if view.python.unread:
        return f"not all of it can be read: {view.python.unread[:150]}"
    return Script(view.code_name.rpartition("/")[2], program.unpacked.text, files_beside(view))


def built_script(view: View, lock: Lock) -> Script | str:
    """A folder that pgolf built: settings are literals there, so that its smoke variant is what is small."""
    from pgolf.verify.checks_run import smoke_code

    code = view.code[0]
    assert code is not None
    code = code if lock.smoke else smoke_code(view, lock)
    from pgolf.verify.code_program import read_program

    text = read_program(code, lambda name: b"").unpacked.text
    if text is None:
        return "the built file cannot be read"
    values = {"MAX_WALLCLOCK_SECONDS": "0", "ITERATIONS": "2"}
    size = lock.settings.get("vocab_size")
    return Script("train_gpt.py", text, {}, values, size if isinstance(size, int) else 0, ready=True)


def files_beside(view: View) -> dict[str, bytes]:
    """Small files of the folder, but logs and the script itself."""
    found: dict[str, bytes] = {}
    left = BESIDE_ALL
    for name, info, path in view.walk():
        small = 0 < info.st_size <= min(BESIDE, left)
        if name in (view.code_name, *view.log_names) or not small or path.is_dir() or name.count("/") > 2:
            continue
        try:
            found[name] = view.read(name, BESIDE)
        except Unreadable:
            continue
        left -= info.st_size
    return found


def with_data(view: View, script: Script, work: Path, execute: Execute, seed: int, only: set[str]) -> list[Verdict]:
    """Probes that need real text, or a tokenizer."""
    found = []
    if "round-trip" in only:
        found.append(round_trip_verdict(tokenizers(view), work / "round-trip", execute))
    wanted = {"other-text": "rule.prefix", "overlap": "rule.disjoint"}
    if not only & wanted.keys():
        return found
    try:
        if view.run.data is None:
            raise PgolfError("PG001", "needs --data with the official shards", "", "")
        shards = find_shards(view.run.data, {})
        validation, training = sorted(shards.glob(VAL_GLOB)), sorted(shards.glob(TRAIN_GLOB))
        if not validation or not training:
            raise PgolfError("PG001", "needs --data with training and validation shards", "", "")
        if "overlap" in only:
            found.append(overlap_verdict(validation, training))
        if "other-text" in only:
            tokenizer = view.run.tokenizer or find_tokenizer(shards, view.run.data, {})
            found.append(
                other_text(view, script, work / "other", execute, seed, (validation[0], training[-1], tokenizer))
            )
    except (PgolfError, OSError, ValueError) as error:
        said = printable(getattr(error, "message", str(error)))
        missing = [Verdict(rule, "SKIP", said, probe) for probe, rule in wanted.items() if probe in only]
        found += [one for one in missing if one.rule not in {other.rule for other in found}]
    return found


def other_text(
    view: View, script: Script, work: Path, execute: Execute, seed: int, paths: tuple[Path, Path, Path]
) -> Verdict:
    """rule.prefix, by the script with the real vocabulary."""
    size = vocabulary_of(paths[2])
    view.run.note(f"probe: other-text with {size} tokens")
    shop = Workshop(script, Sizes(size), work, execute, WALL, seed, given=given_text(*paths))
    shop.vocabulary = size
    return other_text_verdict(shop)


def vocabulary_of(tokenizer: Path) -> int:
    """Pieces of a tokenizer of the reviewer's own."""
    import sentencepiece

    return int(sentencepiece.SentencePieceProcessor(model_file=str(tokenizer)).vocab_size())


def tokenizers(view: View) -> dict[str, bytes]:
    """SentencePiece models of the folder, or the one that was given."""
    if view.run.tokenizer is not None:
        return {view.run.tokenizer.name: view.run.tokenizer.read_bytes()}
    found = {}
    for name, _, path in view.walk():
        if name.endswith(".model") and not path.is_dir():
            try:
                found[name] = view.read(name, MODEL_LIMIT)
            except Unreadable:
                continue
    return found
