"""A verified folder as a commit in a clone of the contest's repository: the record folder under its dated name, nothing else.

    records/track_10min_16mb/2026-04-09_Name/     README.md, submission.json, train_gpt.py, logs/, recipe.toml, pgolf.lock

The commit is on a branch of its own, made from the clone's main branch; nothing is pushed.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgolf.errors import PgolfError
from pgolf.files import write_atomically, write_errors
from pgolf.lock import LOCK_NAME, read_lock
from pgolf.run.figures import RECORD_TRACK
from pgolf.run.package import JSON_NAME, README_NAME, track
from pgolf.submission import CODE_NAME, RECIPE_NAME
from pgolf.verify.outputs import markdown

TRACKS = {RECORD_TRACK: "track_10min_16mb"}
OTHER_TRACK = "track_non_record_16mb"
NEEDED = (README_NAME, JSON_NAME, CODE_NAME)
WELCOME = (*NEEDED, RECIPE_NAME, LOCK_NAME, "requirements.txt")
DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
GIT_SECONDS = 300
BODY = "pull_request.md"


@dataclass(frozen=True)
class HandedIn:
    """What was made; `push` are the commands that are left to the author."""

    place: Path
    branch: str
    commit: str
    files: tuple[str, ...]
    body: Path
    push: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "place": str(self.place),
            "branch": self.branch,
            "commit": self.commit,
            "files": list(self.files),
            "body": str(self.body),
            "push": list(self.push),
        }


def git(clone: Path, *words: str) -> str:
    """What git prints; PG005 with its last line where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(clone), *words], capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PgolfError("PG005", f"git {words[0]} did not end: {error}", str(clone), "is git installed?") from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-200:]
        raise PgolfError("PG005", f"git {words[0]}: {said or f'status {done.returncode}'}", str(clone))
    return done.stdout.strip()


def refuse_failing(report: Mapping[str, Any], folder: Path) -> None:
    """PG004 while verify does not pass."""
    if report["verdict"] == "pass":
        return
    failed = [record for record in report["checks"] if record["status"] == "FAIL"]
    first = f"{failed[0]['id']}: {failed[0]['message']}" if failed else f"the verdict is {report['verdict']}"
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    raise PgolfError(
        "PG004", f"verify does not pass: {first[:300]}{more}", str(folder), f"pgolf verify {shlex.quote(str(folder))}"
    )


def contents(folder: Path) -> list[Path]:
    """What goes into the pull request, as paths in the folder; PG001 where something that it needs is missing."""
    for name in NEEDED:
        if not (folder / name).is_file():
            raise PgolfError("PG001", f"there is no {name}", str(folder), f"pgolf package {shlex.quote(str(folder))}")
    logs = sorted(path for path in (folder / "logs").glob("train_seed*.log") if path.is_file())
    if not logs:
        raise PgolfError(
            "PG504", "there is no log of a run in logs/", str(folder), f"pgolf train {shlex.quote(str(folder))}"
        )
    return [path for name in WELCOME if (path := folder / name).is_file()] + logs


def record_name(document: Mapping[str, Any], name: str) -> str:
    """`2026-04-09_Name`: the date of submission.json and a name without odd characters; PG504 without a date."""
    date = str(document.get("date", ""))[:10]
    if not DATED.fullmatch(date):
        raise PgolfError("PG504", f"the date of {JSON_NAME} is {date!r}", hint="wanted a date like 2026-04-09")
    plain = re.sub(r"[^A-Za-z0-9.]+", "_", name or str(document.get("name", ""))).strip("_.")
    if not plain:
        raise PgolfError("PG004", "the submission has no name that a folder could have", hint="give --name")
    return f"{date}_{plain[:80]}"


def check_clone(clone: Path) -> None:
    """PG004 for what is no clean clone of a repository with records."""
    if not (clone / ".git").exists():
        hint = "git clone https://github.com/openai/parameter-golf, and give that folder"
        raise PgolfError("PG004", "this is no clone of a repository", str(clone), hint)
    if not (clone / "records").is_dir():
        raise PgolfError("PG004", "there is no folder records/", str(clone), "give a clone of the contest's repository")
    if changed := git(clone, "status", "--porcelain"):
        text = f"the clone has changes of its own: {changed.splitlines()[0].strip()}"
        raise PgolfError("PG004", text, str(clone), "commit them or put them away")


def hand_in(folder: Path, clone: Path, report: Mapping[str, Any], name: str = "", base: str = "") -> HandedIn:
    """Copy, commit, and check that the commit adds the record's files alone.

    Args:
        report: of verify.
        name: of the record, without its date; "" takes that of submission.json.
        base: what the branch starts from; "" takes the clone's present commit.

    Raises:
        PgolfError: PG001, PG004, PG005, PG504; the clone is then on the branch that it was on.
    """
    refuse_failing(report, folder)
    files = contents(folder)
    document = json.loads((folder / JSON_NAME).read_text(encoding="utf-8"))
    title = record_name(document, name)
    check_clone(clone)
    inside = Path("records", TRACKS.get(track(read_lock(folder)), OTHER_TRACK), title)
    place, branch = clone / inside, f"record/{title}"
    before = git(clone, "rev-parse", "--abbrev-ref", "HEAD")
    base = git(clone, "rev-parse", base or "HEAD")
    if place.exists():
        raise PgolfError("PG004", "there is a record of this name already", str(place), "give another --name")
    git(clone, "switch", "-q", "-c", branch, base)
    try:
        copy(files, folder, place)
        git(clone, "add", "--", inside.as_posix())
        git(clone, "commit", "-q", "-m", f"Record: {document.get('name', title)}, val_bpb {document['val_bpb']}")
        added = git(clone, "diff", "--name-status", base, "HEAD").splitlines()
        wrong = [line for line in added if not line.startswith(f"A\t{inside.as_posix()}/")]
        if wrong or len(added) != len(files):
            text = f"the commit has {wrong[0]!r}" if wrong else f"{len(added)} of {len(files)} files are in the commit"
            raise PgolfError("PG004", text, str(clone), "see .gitignore and hooks of the clone")
    except BaseException:
        git(clone, "switch", "-q", "-f", before if before != "HEAD" else base)
        shutil.rmtree(place, ignore_errors=True)
        git(clone, "branch", "-D", branch)
        raise
    body = folder / "artifacts" / BODY
    write_atomically(body, body_text(document, report, inside).encode())
    push = (
        shlex.join(["git", "-C", str(clone), "push", "origin", branch]),
        shlex.join(["gh", "pr", "create", "--head", branch, "--title", f"Record: {title}", "--body-file", str(body)]),
    )
    names = tuple(line.split("\t")[1] for line in added)
    return HandedIn(place, branch, git(clone, "rev-parse", "HEAD"), names, body, push)


def copy(files: Sequence[Path], folder: Path, place: Path) -> None:
    """The files under their names in the folder."""
    with write_errors(place):
        for path in files:
            target = place / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def body_text(document: Mapping[str, Any], report: Mapping[str, Any], inside: Path) -> str:
    """Results, what verify says, and how to repeat both."""
    seeds: Mapping[str, Mapping[str, Any]] = document.get("seed_results", {})
    rows = [
        f"| {seed} | {row['val_bpb']:.8f} | {row['val_loss']:.8f} | {row['artifact_bytes']:,} |"
        for seed, row in seeds.items()
    ]
    lines = [
        f"# {document.get('name', inside.name)}",
        "",
        str(document.get("blurb", "")),
        "",
        f"val_bpb **{document['val_bpb']}**, at most {document.get('bytes_total', 0):,} bytes.",
        "",
        "| seed | val_bpb | val_loss | bytes |",
        "| ---: | ---: | ---: | ---: |",
        *rows,
        "",
        "## Verified",
        "",
        markdown([dict(report)]).strip(),
        "",
        "## To repeat",
        "",
        "    pip install pgolf",
        f"    pgolf verify {inside.as_posix()}",
        f"    pgolf train {inside.as_posix()} --data data --nproc 8 --seeds {','.join(seeds)}",
        "",
    ]
    return "\n".join(lines)
