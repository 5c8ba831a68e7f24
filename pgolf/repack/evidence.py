"""What must stay as it is in a script, and why: the record that the other modules fill and obey."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

LITERALS, ANNOTATIONS, LOCALS, GLOBALS, PUBLIC, FUNCTION_NAMES, PACKING, LATIN1, TEXT = (
    "literals",
    "annotations",
    "locals",
    "globals",
    "public names",
    "function names",
    "packing",
    "latin1",
    "text",
)
MEANING = {
    LITERALS: "dropping docstrings and literal statements",
    ANNOTATIONS: "dropping annotations",
    LOCALS: "renaming local variables",
    GLOBALS: "renaming top-level names",
    PUBLIC: "renaming public names",
    FUNCTION_NAMES: "renaming functions",
    PACKING: "packing",
    LATIN1: "latin1 and mix form",
    TEXT: "change of the text",
}


@dataclass(frozen=True)
class Reason:
    """One change that is not made: which, the line that forbids it (0 for none), and why."""

    what: str
    line: int
    why: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}no {MEANING[self.what]}: {self.why}"

    def as_record(self) -> dict[str, str | int]:
        """For `--json`."""
        return {"change": self.what, "line": self.line, "why": self.why}


@dataclass
class Evidence:
    """Everything that is known about a script.

    Attributes:
        reasons: what is forbidden as a whole.
        words: what may be looked up at the top level by a text: every word of the script's texts, and what others may import.
        kernels: functions whose source a compiler reads: the names in them stay.
        named: functions whose names stay.
        annotated: functions whose annotations stay.
        frames: functions whose local variables something lists.
        readings: expressions that read the file as text, which a file in Latin-1 can answer (`self_reading`).
    """

    reasons: list[Reason] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    kernels: set[ast.AST] = field(default_factory=set)
    named: set[ast.AST] = field(default_factory=set)
    annotated: set[ast.AST] = field(default_factory=set)
    frames: set[ast.AST] = field(default_factory=set)
    readings: list[Reading] = field(default_factory=list)

    def forbids(self, *changes: str) -> bool:
        """Is one of these changes forbidden everywhere?"""
        return self.reason(*changes) is not None

    def reason(self, *changes: str) -> Reason | None:
        """The first reason against one of these changes. A text that must stay forbids all but packing."""
        whole = not {PACKING, LATIN1} & set(changes)
        return next((each for each in self.reasons if each.what in changes or (whole and each.what == TEXT)), None)

    def add(self, node: ast.AST, why: str, *changes: str) -> None:
        """A reason against each change, once for each line."""
        for what in changes:
            reason = Reason(what, getattr(node, "lineno", 0), why)
            if reason not in self.reasons:
                self.reasons.append(reason)


@dataclass(frozen=True)
class Reading:
    """One expression that reads the script's file as text.

    Attributes:
        call: the call that gives the text: `.read()`, `.read_text(...)` or `.decode(...)`.
        opening: the call that takes the encoding.
    """

    call: ast.Call
    opening: ast.Call
