"""The table of checks: an id, what a violation yields, the statement, its source, and the function that decides.

A check reads a `View` and returns one `Outcome`. It never raises for what a folder holds: a hostile folder is data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgolf.verify.folder import View

STATUSES = ("PASS", "FAIL", "WARN", "SKIP")


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
        severity: "FAIL" or "WARN", what a violation yields.
        statement: the rule in one sentence.
        source: who says so.
        function: decides.
    """

    id: str
    severity: str
    statement: str
    source: str
    function: CheckFunction

    @property
    def rule(self) -> str:
        """Statement and source in one line."""
        return f"{self.statement} ({self.source})"


CHECKS: dict[str, Check] = {}


def checks_of(module: str) -> list[Check]:
    """The checks that a module registered, in its order."""
    return [item for item in CHECKS.values() if item.function.__module__ == module]


def check(id: str, severity: str, statement: str, source: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a check; ids are unique and reports follow the order of registration."""
    assert id not in CHECKS and severity in ("FAIL", "WARN"), id

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS[id] = Check(id, severity, statement, source, function)
        return function

    return register


def passed(message: str, **evidence: Any) -> Outcome:
    """The rule holds."""
    return Outcome("PASS", message, evidence)


def violated(message: str, **evidence: Any) -> Outcome:
    """The rule is broken."""
    return Outcome("", message, evidence)


def skipped(message: str, **evidence: Any) -> Outcome:
    """The rule cannot be judged; the message says what to give."""
    return Outcome("SKIP", message, evidence)


def per_log(problems: Mapping[str, str], good: str, **evidence: Any) -> Outcome:
    """One outcome for all logs: passed, or violated with the first problem and all of them as evidence."""
    if not problems:
        return passed(good, **evidence)
    name, text = next(iter(sorted(problems.items())))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return violated(f"{name}: {text}{more}", problems=dict(sorted(problems.items())), **evidence)
