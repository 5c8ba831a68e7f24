"""The table of checks: an id, what a violation yields, the statement, its source, and the function that decides.

A check reads a `View` and returns one `Outcome`. It never raises for what a folder holds: a hostile folder is data.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgolf.verify.folder import View

RUN_NUMBER = re.compile(r" \(run \d+\)$")
LOG_ENDINGS = (".log", ".txt", ".log.gz", ".txt.gz")


@dataclass(frozen=True)
class Outcome:
    """What a check found: `status` "" stands for the check's own severity."""

    status: str
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


CheckFunction = Callable[["View"], Outcome]


@dataclass(frozen=True)
class Check:
    """One rule.

    Attributes:
        id: `family.name`, public.
        severity: "FAIL" or "WARN", what a violation yields; "INFO" yields a warning that no rule asks for.
        statement: the rule in one sentence.
        source: who says so.
        function: decides.
        example: a violation, in a few words.
    """

    id: str
    severity: str
    statement: str
    source: str
    function: CheckFunction
    example: str = ""

    @property
    def violation(self) -> str:
        """The status of a violation."""
        return "WARN" if self.severity == "INFO" else self.severity

    @property
    def rule(self) -> str:
        """Statement and source in one line."""
        return f"{self.statement} ({self.source})"


CHECKS: dict[str, Check] = {}


def checks_of(module: str) -> list[Check]:
    """The checks that a module registered, in its order."""
    return [item for item in CHECKS.values() if item.function.__module__ == module]


def check(
    id: str, severity: str, statement: str, source: str, example: str = ""
) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check; ids are unique and reports follow the order of registration."""
    assert id not in CHECKS and severity in ("FAIL", "WARN", "INFO"), id

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS[id] = Check(id, severity, statement, source, function, example)
        return function

    return register


def passed(message: str, **evidence: Any) -> Outcome:
    """The rule holds."""
    return Outcome("PASS", message, evidence)


def violated(message: str, **evidence: Any) -> Outcome:
    """The rule is broken."""
    return Outcome("", message, evidence)


def warned(message: str, **evidence: Any) -> Outcome:
    """The rule is not clearly broken: a warning, whatever the severity."""
    return Outcome("WARN", message, evidence)


def skipped(message: str, **evidence: Any) -> Outcome:
    """The rule cannot be judged; the message says what to give."""
    return Outcome("SKIP", message, evidence)


def log_file(name: str) -> str:
    """The file of a run's name: `a.log` of `a.log (run 2)`."""
    return RUN_NUMBER.sub("", name)


def look_again(names: Iterable[str]) -> str:
    """The command that shows these runs."""
    return "pgolf logs " + " ".join(dict.fromkeys(shlex.quote(log_file(name)) for name in sorted(names)))


def per_log(problems: Mapping[str, str], good: str, **evidence: Any) -> Outcome:
    """One outcome for all logs: passed, or violated with the first problem and all of them as evidence."""
    if not problems:
        return passed(good, **evidence)
    name, text = next(iter(sorted(problems.items())))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    files = [log_file(part) for part in name.split(" and ")]
    if files[0].endswith(LOG_ENDINGS):
        evidence.setdefault("rerun", look_again(files))
    return violated(f"{name}: {text}{more}", problems=dict(sorted(problems.items())), **evidence)
