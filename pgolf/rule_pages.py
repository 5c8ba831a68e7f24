"""The page of each rule: what, why, an example that is refused, what to write instead; `explanations/` has the texts."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pgolf.bundle.rules.subset import RULES
from pgolf.errors import CODES, PgolfError

EXPLANATIONS = Path(__file__).with_name("bundle") / "rules" / "explanations"
FORM = re.compile(r"(.+?)\n\n(.+?)\n\nRefused:\n\n```python\n(.+?)```\n\nInstead:\n\n```python\n(.+?)```\n", re.DOTALL)
LIKE_DIGITS = str.maketrans("OIL", "011")
"""Letters that are taken for digits."""


@dataclass(frozen=True)
class Explanation:
    """One rule.

    Attributes:
        code: such as "PG304".
        title: what a finding is.
        rule: what the code must be like.
        reason: what would go wrong otherwise.
        refused: a module that the rule refuses.
        instead: a module that does the same and is accepted.
    """

    code: str
    title: str
    rule: str
    reason: str
    refused: str
    instead: str


def explain(code: str) -> Explanation:
    """A rule by its code, in capitals or not.

    Raises:
        PgolfError: PG004 for a code that no rule has.
    """
    code = code.upper()
    if code not in RULES:
        raise PgolfError("PG004", f"{code} is not the code of a rule of the subset", hint=_suggestion(code))
    form = FORM.fullmatch(EXPLANATIONS.joinpath(f"{code}.md").read_text(encoding="utf-8"))
    assert form is not None, f"{code}.md has another form"
    rule, reason, refused, instead = form.groups()
    return Explanation(code, CODES[code], " ".join(rule.split()), " ".join(reason.split()), refused, instead)


def _suggestion(code: str) -> str:
    if code in CODES:
        return f"{code} says: {CODES[code]}; the rules of the subset are {min(RULES)} to {max(RULES)}"
    close = get_close_matches(code.translate(LIKE_DIGITS), RULES, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"the rules are {min(RULES)} to {max(RULES)}, see docs/subset.md"


def as_text(page: Explanation) -> str:
    """A rule for the terminal."""
    lines = [f"{page.code}: {page.title}", "", page.rule, "", f"Why: {page.reason}"]
    wrapped = [textwrap.fill(line, 100, break_on_hyphens=False) for line in lines]
    refused, instead = (textwrap.indent(code, "    ") for code in (page.refused, page.instead))
    return "\n".join((*wrapped, "", "Refused:", "", refused, "Instead:", "", instead)).rstrip() + "\n"
