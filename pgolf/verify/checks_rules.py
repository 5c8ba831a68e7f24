"""Rules that text does not decide: most stay in every report, as questions; one is answered by the stages of a log."""

from __future__ import annotations

from collections.abc import Callable

from pgolf.verify.checks_code_rules import asked
from pgolf.verify.checks_time import timed
from pgolf.verify.folder import View
from pgolf.verify.registry import Outcome, check, per_log, skipped

SHARDS_AWAY = "take the training shards away after the training time: evaluation must still work"


@check(
    "rule.calibtrain",
    "FAIL",
    "no training data are read after the training time, for calibration either",
    "openai/parameter-golf#569, #606, #677",
    "training shards are opened while quantizing, after the clock has stopped",
)
def check_training_data(view: View) -> Outcome:
    """Decided by logs that say of every stage when it ended and what it read, as programs of pgolf do, or by a probe."""
    probed = asked(view, "rule.calibtrain")
    if probed is not None and probed.status == "FAIL":
        return probed
    runs = {name: run for name, run in view.evidence.runs.items() if run.train}
    silent = [name for name, run in runs.items() if not {"train", "quantize"} <= {stage.name for stage in run.stages}]
    if silent or not runs:
        if probed is not None:
            return probed
        return skipped(f"no stages in {', '.join(silent) or 'any log'}; needs the code to run, and data: {SHARDS_AWAY}")
    limit = 1000.0 * (view.challenge.train_seconds + view.challenge.allowance_seconds)
    problems, counted = {}, timed(view)
    for name, run in runs.items():
        stopped = False
        for stage in run.stages:
            stopped |= stage.data != "train"
            if stage.data == "train" and (stopped or (name in counted and stage.end_ms > limit)):
                when = f"{stage.begin_ms / 1000.0:.1f} to {stage.end_ms / 1000.0:.1f} s"
                problems[name] = f"{stage.name} reads training data from {when}, after the training time"
    return per_log(problems, f"training and calibration alone read training data, in time, in {len(runs)} logs")


# id -> (severity, statement, source, example, what a person can do).
OPEN: dict[str, tuple[str, str, str, str, str]] = {
    "rule.boundary": (
        "WARN",
        "features do not mix across the start of a document",
        "openai/parameter-golf#1797; contested in #1988",
        "the gate of a first token looks at the last token of the document before it",
        "score a first token behind two different documents: its features must be equal",
    ),
    "rule.lossless": (
        "WARN",
        "the tokenizer gives back the exact bytes of each document",
        "openai/parameter-golf#1578, #1604",
        "the tokenizer lowers all letters",
        "decode the encoded validation documents and compare the bytes",
    ),
}


def _open(rule: str, hint: str) -> Callable[[View], Outcome]:
    def judge(view: View) -> Outcome:
        """Needs the submission to run."""
        return asked(view, rule) or skipped(f"needs the code to run, and data: {hint}")

    return judge


for _id, (_severity, _statement, _source, _example, _hint) in OPEN.items():
    check(_id, _severity, _statement, _source, _example)(_open(_id, _hint))
