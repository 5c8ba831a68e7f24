"""f-strings that only Python 3.12 and later accept (PEP 701), found without such a Python.

Before 3.12 a replacement field could not hold the quote of its own string, a backslash, a comment or, in a string of
one line, a line break. `newer` finds strings that do; `lowered` writes them so that older parsers read the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

START = re.compile(r"""((?i:rb|br|rf|fr|[rbfu])?)(\"\"\"|\'\'\'|"|')""")
BEFORE = re.compile(r"""[^#"'A-Za-z_0-9]++|[A-Za-z_0-9]++(?!["'])|\#[^\n]*""")
WORD = re.compile(r"\w+|.", re.DOTALL)
NAMED = re.compile(r"\\N\{[^}\n]*\}")
ENDS = {quote: re.compile(rf"(?s)(?:\\.|(?!{quote})[^\\])*+{quote}") for quote in ('"', "'", '"' * 3, "'" * 3)}
DEPTH = 20
OPEN, CLOSE = "([{", ")]}"


class Broken(Exception):
    """Text that is no Python of any version."""


@dataclass
class FString:
    """One f-string: its place, the places of its fields' expressions, and whether older Pythons read it."""

    start: int
    quote: str
    raw: bool
    end: int = 0
    fields: list[tuple[int, int]] = field(default_factory=list)
    newer: bool = False


class Scanner:
    """Finds the f-strings of one text."""

    def __init__(self, text: str):
        self.text = text
        self.found: list[FString] = []

    def run(self) -> list[FString]:
        """All outermost f-strings, in order.

        Raises:
            Broken: for strings that do not end.
        """
        at = 0
        while at < len(self.text):
            match = BEFORE.match(self.text, at)
            at = match.end() if match else self._string(at, 0, self.found)
        return self.found

    def _string(self, at: int, depth: int, into: list[FString]) -> int:
        """Position after the string, or the single character, at `at`."""
        match = START.match(self.text, at)
        if match is None:
            word = WORD.match(self.text, at)
            return word.end() if word else at + 1
        prefix, quote = match[1].lower(), match[2]
        if "f" not in prefix:
            return self._plain(match.end(), quote)
        if depth > DEPTH:
            raise Broken("f-strings nested too deep")
        made = FString(at, quote, "r" in prefix)
        made.end = self._body(match.end(), made, depth)
        into.append(made)
        return made.end

    def _plain(self, at: int, quote: str) -> int:
        end = ENDS[quote].match(self.text, at)
        if end is None or (len(quote) == 1 and "\n" in end[0].replace("\\\n", "")):
            raise Broken("a string that does not end")
        return end.end()

    def _body(self, at: int, made: FString, depth: int) -> int:
        """From after the opening quote to after the closing one."""
        text = self.text
        while at < len(text):
            char = text[at]
            if text.startswith(made.quote, at):
                return at + len(made.quote)
            if char == "\\":
                named = not made.raw and NAMED.match(text, at)
                # A backslash does not escape a brace.
                at = named.end() if named else at + (1 if text[at + 1 : at + 2] in ("{", "}") else 2)
            elif text[at : at + 2] in ("{{", "}}"):
                at += 2
            elif char == "{":
                at = self._field(at + 1, made, depth)
            elif char == "\n" and len(made.quote) == 1:
                break
            else:
                at += 1
        raise Broken("an f-string that does not end")

    def _field(self, at: int, made: FString, depth: int) -> int:
        """From after `{` to after its `}`; the expression's place is noted."""
        start, text, nested = at, self.text, 0
        inner: list[FString] = []
        while at < len(text):
            char = text[at]
            if nested == 0 and (char in "}:" or (char == "!" and text[at + 1 : at + 2] != "=")):
                made.newer = made.newer or any(item.newer for item in inner)
                self._note(start, at, made)
                return self._rest(at, made, depth)
            if char in OPEN or char in CLOSE:
                nested += 1 if char in OPEN else -1
                at += 1
            elif char == "#":
                made.newer = True
                at = text.find("\n", at)
                if at < 0:
                    break
            elif char.isalnum() or char in "_\"'":
                at = self._string(at, depth + 1, inner)
            elif char == "!":
                at += 2
            else:
                at += 1
        raise Broken("a field that does not end")

    def _note(self, start: int, end: int, made: FString) -> None:
        expression = self.text[start:end]
        if made.quote in expression or "\\" in expression or (len(made.quote) == 1 and "\n" in expression):
            made.newer = True
        made.fields.append((start, end))

    def _rest(self, at: int, made: FString, depth: int) -> int:
        """Conversion and format, up to after the closing brace."""
        text = self.text
        while at < len(text):
            if text[at] == "}":
                return at + 1
            if text[at] == "{":
                at = self._field(at + 1, made, depth + 1)
            elif text.startswith(made.quote, at) or depth > DEPTH:
                break
            else:
                at += 1
        raise Broken("a field that does not end")


def newer(text: str) -> list[FString] | None:
    """f-strings that Python 3.11 does not accept; None for text that the scanner cannot follow."""
    try:
        return [item for item in Scanner(text).run() if item.newer]
    except Broken:
        return None


def lowered(text: str) -> str:
    """The text with every such f-string as a plain string of as many lines, and its fields as statements at the end."""
    fields: list[str] = []
    body = _lower(text, fields, 0)
    return "\n".join([body, *(f"({one}\n)" for one in fields)])


def _lower(text: str, fields: list[str], depth: int) -> str:
    parts, at = [], 0
    for item in newer(text) or []:
        for start, end in item.fields if depth < DEPTH else ():
            fields.append(_lower(text[start:end].rstrip().removesuffix("="), fields, depth + 1))
        lines = "\n" * text.count("\n", item.start, item.end)
        parts += [text[at : item.start], f'"""{lines}"""' if lines else '""']
        at = item.end
    return "".join([*parts, text[at:]])
