"""Checks of the folder's form: files, JSON, fields."""

from __future__ import annotations

import re
import stat
from typing import Any

from pgolf.verify.claims import is_number, read_claim
from pgolf.verify.evidence import UNKNOWN_FORMAT
from pgolf.verify.folder import JSON_NAME, LOG_COUNT, Unreadable, View, printable
from pgolf.verify.pull_request import form_problems
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated, warned

UNKNOWN = "unknown"
TEXT_FIELDS = ("author", "github_id", "name", "date")
README = re.compile(r"readme(?:\.\w+)?", re.IGNORECASE)


@check(
    "pkg.files",
    "FAIL",
    "README, submission.json, a training script and at least one log of a run are there",
    "openai/parameter-golf README; #53, #1031, #1143",
    "train_gpt.py holds 0 bytes",
)
def check_files(view: View) -> Outcome:
    """Required files are regular, readable and not empty, under these names or names like them."""
    problems = {}
    for name in view.challenge.required_files:
        problem = _required_problem(view, name)
        if problem:
            problems[name] = problem
    if view.built and len(view.log_names) >= LOG_COUNT:
        problems["logs"] = f"there are {LOG_COUNT} logs or more; wanted one per seed"
    elif not view.logs and UNKNOWN_FORMAT not in view.unreadable_logs.values():
        problems["logs"] = "there is no log of a run; wanted one per seed, e.g. logs/train_seed1337.log"
    unread = view.unreadable_logs
    if unread and not problems and not view.built:
        found = per_log(unread, "")
        return warned(f"not read: {found.message}", **found.evidence)
    good = f"{len(view.challenge.required_files)} files and {len(view.logs)} logs are there"
    return per_log({**problems, **unread}, good)


def _required_problem(view: View, name: str) -> str:
    found = {"train_gpt.py": view.code_name, "submission.json": view.json_name}.get(name, name)
    if name == "README.md" and not view.exists(name):
        found = next((shown for shown, _, _ in view.walk() if README.fullmatch(shown)), name)
    try:
        size = view.path(found).stat().st_size
    except Unreadable as error:
        return str(error)
    if size == 0 or (found == view.code_name and size < view.challenge.smallest_script):
        return f"holds {size} bytes"
    return ""


@check(
    "pkg.form",
    "FAIL",
    "the pull request only adds one record folder",
    "openai/parameter-golf README; #1120, #1143, #2013",
    "the pull request also changes the README at the top",
)
def check_form(view: View) -> Outcome:
    """A folder cannot show it; the diff of the pull request does: give it with --diff FILE."""
    if view.run.changes is None:
        return skipped("needs the pull request: give its diff with --diff FILE")
    folders, problems = form_problems(list(view.run.changes))
    evidence = {"changes": len(view.run.changes), "folders": sorted(folders), "problems": problems[:50]}
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return violated(f"the pull request also has: {printable(problems[0])}{more}", **evidence)
    if len(folders) != 1:
        return violated(
            f"the pull request adds to {len(folders)} record folders: {', '.join(sorted(folders))}", **evidence
        )
    folder = next(iter(folders))
    return passed(f"{len(view.run.changes)} files are added to {printable(folder)}, and nothing else", **evidence)


@check(
    "pkg.links",
    "FAIL",
    "nothing in the folder leads out of it or is no file",
    "challenge README: self-contained",
    "notes.md is a link to a file outside the folder",
)
def check_links(view: View) -> Outcome:
    """No symbolic link out of the folder, no pipe, socket or device."""
    problems = {}
    for name, info, path in view.walk():
        if stat.S_ISLNK(info.st_mode):
            try:
                target = path.resolve()
            except (OSError, RuntimeError):
                problems[printable(name)] = "is a link that leads nowhere"
                continue
            if not target.is_relative_to(view.root):
                problems[printable(name)] = f"leads to {printable(str(target))}"
        elif not stat.S_ISDIR(info.st_mode) and not stat.S_ISREG(info.st_mode):
            problems[printable(name)] = "is a pipe, socket or device"
    if view.cut and not problems:
        return skipped(view.cut)
    return per_log(problems, "every name is a file or folder of its own")


@check(
    "pkg.json",
    "FAIL",
    "submission.json is one JSON object for a strict parser",
    "challenge README",
    "the file begins with a byte order mark",
)
def check_json(view: View) -> Outcome:
    """UTF-8, no NaN, no trailing data."""
    claim, problem = view.claim
    if not view.exists(view.json_name) and not any(name == view.json_name for name, _, _ in view.walk()):
        return skipped(f"{JSON_NAME} is missing")
    return (
        passed("submission.json is a JSON object")
        if claim is not None
        else violated(problem, file=view.json_name, problem=problem)
    )


@check(
    "pkg.fields",
    "FAIL",
    "submission.json has a headline val_bpb, author and github_id; a folder that pgolf built has all fields",
    "openai/parameter-golf README",
    "no val_bpb under any name",
)
def check_fields(view: View) -> Outcome:
    """No headline at all is a violation; another key, text for a number or a missing name is a warning."""
    claim, _ = view.claim
    if claim is None:
        return skipped("there is no readable submission.json")
    if view.built:
        problems = {name: text for name in view.challenge.required_fields if (text := _field_problem(name, claim))}
        return per_log(problems, f"{len(view.challenge.required_fields)} required fields are there")
    claimed = read_claim(claim)
    if claimed.value is None:
        return violated(
            "there is no headline number of any name; wanted val_bpb", keys=[printable(key) for key in claim][:40]
        )
    doubts = {name: f"is missing (found {claimed.key})" for name in ("val_bpb",) if claimed.key != name}
    if claimed.is_text:
        doubts[claimed.key] = "is text, wanted a number"
    for name in ("author", "github_id"):
        value = claim.get(name)
        if not (value.strip() if isinstance(value, str) else value):
            doubts[name] = "is missing or empty"
    found = per_log(doubts, "val_bpb, author and github_id are there")
    return found if found.status else Outcome("WARN", found.message, found.evidence)


def _field_problem(name: str, claim: dict[str, Any]) -> str:
    if name not in claim:
        return "is missing"
    value = claim[name]
    if name in TEXT_FIELDS:
        return "" if isinstance(value, str) and value.strip() else "is not text, or empty"
    if name == "val_bpb":
        return "" if is_number(value) and value > 0 else "is not a positive number"
    if name == "bytes_total":
        return "" if isinstance(value, int) and not isinstance(value, bool) and value > 0 else "is not a whole number"
    return ""


@check("pkg.author", "WARN", "author and github_id name a person", "challenge README", "author is 'unknown'")
def check_author(view: View) -> Outcome:
    """`pgolf package` writes "unknown" where nobody told it."""
    claim, _ = view.claim
    if claim is None:
        return skipped("there is no readable submission.json")
    missing = [key for key in ("author", "github_id") if claim.get(key) == UNKNOWN]
    if missing:
        return violated(
            f"{' and '.join(missing)} of {JSON_NAME} is {UNKNOWN!r}: pgolf package FOLDER --author A --github-id G"
        )
    return passed("author and github_id are given")
