"""A pull request's diff as data: which paths it adds, changes, moves and deletes. Nothing is applied."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

DIFF_LIMIT = 256 * 2**20
"""Most bytes of a diff: pull requests with 200,000 lines have been made."""
HEADER = re.compile(r'diff --git (?:"(?P<quoted>[^"\n]*)"|(?P<plain>\S.*)) (?:"[^"\n]*"|b/\S.*+)')
KINDS = {"new file mode": "added", "deleted file mode": "deleted", "rename to": "renamed", "copy to": "added"}
RECORD = re.compile(r"records/[^/]+/[^/]+")


@dataclass(frozen=True)
class Change:
    """One path of a diff: `kind` is "added", "deleted", "renamed" or "changed"."""

    path: str
    kind: str


class NoDiff(Exception):
    """A file that is no diff of git's; the message says why."""


def read_diff(data: bytes) -> list[Change]:
    """The paths of a diff as `git diff` or a site for pull requests writes it.

    Raises:
        NoDiff: where there is no `diff --git` line, or one without a path.
    """
    if len(data) > DIFF_LIMIT:
        raise NoDiff(f"is larger than {DIFF_LIMIT:,} bytes")
    found: list[Change] = []
    old = new = kind = ""
    in_header = False
    for line in data.decode("utf-8", errors="replace").split("\n"):
        if line.startswith("diff --git "):
            found += [change_of(old, new, kind)] if old or new else []
            old, new = names(line)
            kind, in_header = "changed", True
        elif line.startswith("@@"):
            in_header = False
        elif in_header:
            marked = next((KINDS[mark] for mark in KINDS if line.startswith(mark)), "")
            kind = marked or kind
            if line.startswith(("--- ", "+++ ", "rename from ", "rename to ")):
                name = unquoted(line.split(" ", 2 if line.startswith("rename") else 1)[-1])
                if name != "/dev/null":
                    name = name if line.startswith("rename") else name[2:]
                    old, new = (name, new) if line.startswith(("---", "rename from")) else (old, name)
    found += [change_of(old, new, kind)] if old or new else []
    if not found:
        raise NoDiff("has no line that begins with `diff --git`")
    return found


def change_of(old: str, new: str, kind: str) -> Change:
    """By the path that a reviewer would look for."""
    return Change(old if kind == "deleted" else new or old, kind)


def names(line: str) -> tuple[str, str]:
    """(before, after) of a `diff --git` line; of names with spaces the two halves, which are equal but for a move."""
    rest = line.removeprefix("diff --git ").rstrip("\r")
    if rest.startswith('"'):
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
        return (unquoted(f'"{parts[0]}"')[2:], unquoted(f'"{parts[-1]}"')[2:]) if parts else ("", "")
    half = len(rest) // 2
    if rest[half : half + 1] == " " and rest[2:half] == rest[half + 3 :]:
        return rest[2:half], rest[half + 3 :]
    first, _, second = rest.partition(" b/")
    if not first.startswith("a/") or not second:
        raise NoDiff(f"has a line that names no paths: {line[:100]!a}")
    return first[2:], second


def unquoted(name: str) -> str:
    """A name as git writes one with unusual characters: in quotes, bytes as octal numbers."""
    name = name.rstrip("\r").rstrip("\t")
    if not (name.startswith('"') and name.endswith('"') and len(name) > 1):
        return name
    plain = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8) & 255]), name[1:-1].encode())
    text = plain.decode("utf-8", errors="replace")
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match[1], match[1]), text)


def form_problems(changes: list[Change]) -> tuple[set[str], list[str]]:
    """(record folders that files are added to, what the diff does besides)."""
    folders: set[str] = set()
    problems = []
    for change in changes:
        parts = PurePosixPath(change.path).parts
        inside = RECORD.match(change.path) if len(parts) > 3 and ".." not in parts else None
        if inside is not None and change.kind == "added":
            folders.add(inside[0])
        elif inside is not None:
            problems.append(f"{change.kind} {change.path}")
        else:
            problems.append(f"{change.kind} {change.path}, outside of records/TRACK/NAME/")
    return folders, problems
