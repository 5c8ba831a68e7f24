"""What a check of preflight found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pgolf.errors import PgolfError

OK, PROBLEM, UNKNOWN, SKIPPED = "ok", "problem", "unknown", "skipped"
"""`UNKNOWN` is what should have been checked and could not be, `SKIPPED` what has no meaning on this machine."""


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was seen, and what to do about it."""

    check: str
    state: str
    text: str
    hint: str = ""

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def good(check: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(check, OK, text)


def problem(check: str, text: str, hint: str = "") -> Finding:
    """The run would fail, or be worth nothing."""
    return Finding(check, PROBLEM, text, hint)


def unknown(check: str, text: str, hint: str = "") -> Finding:
    """It could not be found out."""
    return Finding(check, UNKNOWN, text, hint)


def skipped(check: str, text: str) -> Finding:
    """It means nothing here."""
    return Finding(check, SKIPPED, text)


def caught(check: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """`look()`; an error that names what a user can mend is a problem, of the same check."""
    try:
        return look()
    except PgolfError as error:
        return [problem(check, f"{error.message} ({error.where})" if error.where else error.message, error.hint)]
    except (OSError, ValueError) as error:
        return [problem(check, " ".join(str(error).split())[:300])]
