"""Lines of the known log families: a word that must be there, a pattern, and what to do with a match.

Families differ in punctuation more than in content, so one table serves them all: "baseline" (`step:S/N train_loss:`),
"table" (`S/N train_loss: .. train_time: ..m`, hyperparameters one a line) and "compact" (`step:S/N loss:.. t:..ms`).
Every number is bounded, so that no pattern can be made slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from pgolf.logs.record import RunRecord, Stage

NUMBER = r"(?:\d{1,15}(?:\.\d{1,20})?|nan|inf)"
COUNT = r"\d{1,15}"
GROUPED = r"\d{1,3}(?:,\d{3}){1,4}|\d{1,15}"
MOST_PARAMETERS = 512
MOST_STAGES = 64
MOST_RECEIPTS = 512
Action = Callable[[RunRecord, re.Match[str]], None]


class Rule(NamedTuple):
    """`word` is a quick test: a line without it cannot match."""

    word: str
    pattern: re.Pattern[str]
    action: Action


def _text(name: str) -> Action:
    return lambda record, match: setattr(record, name, match[1].strip())


def _int(name: str) -> Action:
    return lambda record, match: setattr(record, name, int(match[1]))


def _real(name: str, factor: float = 1.0) -> Action:
    return lambda record, match: setattr(record, name, float(match[1]) * factor)


def _words(match: re.Match[str], sign: str) -> dict[str, str]:
    """`name:value` or `name=value` of every word of a line."""
    return {name: value for name, _, value in (word.partition(sign) for word in match.string.split()) if value}


def _budget(record: RunRecord, match: re.Match[str]) -> None:
    words = _words(match, ":")
    iterations, seconds = words.get("iterations", ""), words.get("max_wallclock_seconds", "")
    if re.fullmatch(COUNT, iterations) and re.fullmatch(NUMBER, seconds):
        record.iterations, record.max_wallclock_seconds = int(iterations), float(seconds)


def _stop(record: RunRecord, match: re.Match[str]) -> None:
    record.stop_ms = float(match[1])
    record.stop_step = int(match[2]) if match[2] else None


def _model(record: RunRecord, match: re.Match[str]) -> None:
    record.model_format, record.model_bytes = match[1], int(match[2])


def _plain_total(record: RunRecord, match: re.Match[str]) -> None:
    record.keep(record.plain_totals, int(match[1]))


def _code_plain(record: RunRecord, match: re.Match[str]) -> None:
    record.code_bytes_uncompressed = int(match[1])


def _inline(record: RunRecord, match: re.Match[str]) -> None:
    record.model_bytes, record.labelled_total = int(match[1]), int(match[2])


def _grouped(record: RunRecord, match: re.Match[str]) -> None:
    record.labelled_total = int(match[1].replace(",", ""))


def _receipt(record: RunRecord, match: re.Match[str]) -> None:
    if match[1] in record.receipts or len(record.receipts) < MOST_RECEIPTS:
        record.receipts[match[1]] = match[2].strip()
    else:
        record.complete = False


def _error(record: RunRecord, match: re.Match[str]) -> None:
    if len(record.errors) < MOST_RECEIPTS:
        record.errors.append(match[0].strip())


def _plugins(record: RunRecord, match: re.Match[str]) -> None:
    record.plugins = tuple(match[1].split()[:MOST_RECEIPTS])


def _gpu(record: RunRecord, match: re.Match[str]) -> None:
    if len(record.gpus) < 64:
        record.gpus.append(match[1].strip())


def _dump(record: RunRecord, match: re.Match[str]) -> None:
    """`  name: value`, one setting a line."""
    name, value = match[1], match[2].strip()
    if name in record.hyperparameters or len(record.hyperparameters) < MOST_PARAMETERS:
        record.hyperparameters[name] = value
    if name in ("seed", "world_size", "iterations") and value.isdecimal() and len(value) < 16:
        setattr(record, name, int(value))
    elif name == "max_wallclock_seconds" and re.fullmatch(NUMBER, value):
        record.max_wallclock_seconds = float(value)


def _one_line_dump(record: RunRecord, match: re.Match[str]) -> None:
    """`name=value name=value ...`."""
    for name, value in _words(match, "=").items():
        if name in record.hyperparameters or len(record.hyperparameters) < MOST_PARAMETERS:
            record.hyperparameters[name] = value
    seed = record.hyperparameters.get("seed", "")
    if seed.isdecimal() and len(seed) < 16:
        record.seed = int(seed)


def _short(record: RunRecord, match: re.Match[str]) -> None:
    words = _words(match, ":")
    size, seed = words.get("ws", ""), words.get("s", "")
    if re.fullmatch(r"\d{1,6}", size) and re.fullmatch(r"\d{1,15}", seed):
        record.world_size, record.seed = int(size), int(seed)


def _reserved(record: RunRecord, match: re.Match[str]) -> None:
    record.calibration.reserved = True


def _stage(record: RunRecord, match: re.Match[str]) -> None:
    if len(record.stages) < MOST_STAGES:
        record.stages.append(Stage(match[1], float(match[2]), float(match[3]), match[4]))


def _limited(record: RunRecord, match: re.Match[str]) -> None:
    record.limited = True


def _calibrates(source: str) -> Action:
    def action(record: RunRecord, match: re.Match[str]) -> None:
        record.calibration.source = record.calibration.source if record.calibration.source == "self" else source
        record.calibration.after_stop = record.stop_ms is not None

    return action


def _calibrated(record: RunRecord, match: re.Match[str]) -> None:
    seconds = float(match[1]) / (1000.0 if match[2] == "ms" else 1.0)
    record.calibration.seconds = (record.calibration.seconds or 0.0) + seconds


def _rules(*rules: tuple[str, str, Action]) -> tuple[Rule, ...]:
    return tuple(Rule(word, re.compile(pattern), action) for word, pattern, action in rules)


HEADER = _rules(
    ("Running Python", r"^Running Python (\S{1,40})", _text("python")),
    ("Running PyTorch", r"^Running PyTorch (\S{1,40})", _text("pytorch")),
    ("code_sha256:", r"^code_sha256:([0-9a-f]{64})$", _text("code_sha256")),
    ("val_sha256:", r"^val_sha256:([0-9a-f]{64})$", _text("val_sha256")),
    ("hardware:", r"^hardware:(.{1,200})$", _text("device")),
    ("NVIDIA ", r"^\|\s+\d+\s+(NVIDIA [\w .-]{1,60}?)\s+(?:On|Off)\s+\|", _gpu),
    ("plugins:", r"^plugins:(.*)$", _plugins),
    ("world_size:", r"^(?:\S{1,40} )?world_size:(\d{1,6}) ", _int("world_size")),
    ("seed:", r"^seed: ?(\d{1,19})$", _int("seed")),
    (
        "max_wallclock_seconds:",
        r"^train_batch_tokens:\d",
        _budget,
    ),
    ("tokens:", rf"^val_loader:shards .*tokens:({COUNT})$", _int("val_tokens")),
    ("val", rf"^val[_ ]tokens: ?({COUNT})\b", _int("val_tokens")),
    ("model_params:", rf"^model_params:({COUNT})\b", _int("model_params")),
    (" seed=", r"^[a-z_]{1,60}=\S", _one_line_dump),
    ("params:", r"^params:", _short),
    (" seed:", r" wall:\S{1,40} seed:(\d{1,19})$", _int("seed")),
    ("peak memory", r"^peak memory allocated: (\d{1,9}) MiB", _int("peak_mib")),
    ("  ", r"^ {2,4}([A-Za-z_]\w{0,60}): ?(.{0,300})$", _dump),
)
ENDS = _rules(
    ("stopping_early", rf"^stopping_early: \w{{1,40}} train_time: ?({NUMBER})ms(?: step: ?({COUNT})/)?", _stop),
    ("total_eval_time", rf"^total_eval_time:({NUMBER})s", _real("total_eval_ms", 1000.0)),
    ("(limited)", r"^\s*eval: \d+ batches \(limited\)", _limited),
    ("receipt ", r"^receipt (\w{1,80}): (.{1,500})$", _receipt),
    ("error: ", r"^error: .{1,500}$", _error),
)
CALIBRATION = _rules(
    ("stage:", rf"^stage:(\w{{1,40}}) begin:({NUMBER})ms end:({NUMBER})ms data:(\w{{1,20}})\b", _stage),
    ("reserve_seconds:", r"^reserve_seconds:\d", _reserved),
    ("gptq:reserving", r"^gptq:reserving \d", _reserved),
    ("autoregressive", r"^gptq:(?:generating|collecting hessians from) autoregressive", _calibrates("self")),
    ("generating calibration", r"^gptq:generating calibration", _calibrates("self")),
    ("collecting Hessians from", r"^GPTQ:collecting Hessians from calibration data", _calibrates("train")),
    ("calibrating with", r"^gptq:calibrating with (?:\d+ (?:batches \()?)?train(?:ing)?\b", _calibrates("train")),
    (" in ", rf"^GPTQ:collected \d+ Hessians in ({NUMBER})(m?s)", _calibrated),
    (
        " in ",
        rf"^gptq:(?:calibrated \d+ layers|collected hessians.*|generated \d+ \w+) in ({NUMBER})(m?s)",
        _calibrated,
    ),
    ("hessians collected", rf"^gptq:hessians collected .*time=({NUMBER})(m?s)", _calibrated),
)
SIZES = _rules(
    ("Serialized model: ", rf"^Serialized model: ({COUNT}) bytes", _int("raw_model_bytes")),
    ("Serialized model ", rf"^Serialized model (\S{{1,60}}): ({COUNT}) bytes", _model),
    ("artifact_sha256:", r"^artifact_sha256:([0-9a-f]{64})$", _text("artifact_sha256")),
    ("Code size: ", rf"^Code size: ({COUNT}) bytes", _int("code_bytes")),
    ("(uncompressed)", rf"^Code size \(uncompressed\): ({COUNT}) bytes", _code_plain),
    ("(compressed)", rf"^Code size \(compressed\): ({COUNT}) bytes", _int("code_bytes")),
    ("Total submission size: ", rf"^Total submission size: ({COUNT}) bytes", _plain_total),
    ("Total submission size ", rf"^Total submission size [^:]{{1,60}}: ({COUNT}) bytes", _int("labelled_total")),
    ("total_submission_bytes:", rf"^total_submission_bytes: ?({COUNT})\b", _int("labelled_total")),
    ("code_bytes:", rf"^code_bytes: ?({COUNT})$", _int("code_bytes")),
    ("budget:", rf"^budget:({COUNT})/\d{{1,15}} \(", _int("labelled_total")),
    ("artifact:", rf"^artifact:.* code:({COUNT})$", _int("code_bytes")),
    ("Total artifact", rf"^Total artifact(?: size)?: ({GROUPED}) bytes", _grouped),
    ("Total submission: ", rf"model: ({COUNT}) bytes \| Total submission: ({COUNT}) bytes", _inline),
)
MEASURES: tuple[Rule, ...] = (*SIZES, *ENDS, *CALIBRATION)
RULES: tuple[Rule, ...] = (*MEASURES, *HEADER)
