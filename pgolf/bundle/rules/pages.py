"""The page of each rule: what, why, an example that is refused, what to write instead; `explanations/` has the texts."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pgolf.bundle.rules.subset import RULES
from pgolf.errors import CODES, PgolfError

INTRODUCTION = """# The bundleable subset

<!-- Generated from pgolf/bundle/rules/explanations by `python -m pgolf.docs`. -->

What the training program may contain: `pgolf/runtime/`, the classes and functions that plugins' components
name, and whatever these use. Hooks, `PLUGIN` and everything only they use are free, except for what runs when the module is
imported. `pgolf build` and `pgolf lint` report every finding with its line; `pgolf lint --explain PG304` prints what this page
says of a rule. Every example is a test: the first is refused with the rule's code alone, the second runs live and built.

"""

EXPLANATIONS = Path(__file__).with_name("explanations")
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
    examples = ("", "Refused:", "", _indented(page.refused), "Instead:", "", _indented(page.instead))
    return "\n".join((*wrapped, *examples)).rstrip() + "\n"


def _indented(code: str) -> str:
    return textwrap.indent(code, "    ")


def subset_page() -> str:
    """docs/subset.md: a table of the rules, then a section for each."""
    pages = [explain(code) for code in RULES]
    rows = [f"| [{page.code}](#{page.code.lower()}) | {page.title} |" for page in pages]
    table = "\n".join(["| code | what is refused |", "| --- | --- |", *rows])
    return INTRODUCTION + table + "\n" + "".join(map(_section, pages))


def _section(page: Explanation) -> str:
    refused, instead = (f"```python\n{code}```" for code in (page.refused, page.instead))
    return f"\n## {page.code}\n\n{page.rule}\n{page.reason}\n\nRefused:\n\n{refused}\n\nInstead:\n\n{instead}\n"
