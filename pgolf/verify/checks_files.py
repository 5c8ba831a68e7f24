"""Checks of the folder's form: files, JSON, fields."""

from __future__ import annotations

import ast
import math
import stat
import warnings
from typing import Any

from pgolf.verify.folder import JSON_NAME, LOG_COUNT, Unreadable, View, printable
from pgolf.verify.registry import Outcome, check, passed, per_log, skipped, violated

UNKNOWN = "unknown"
TEXT_FIELDS = ("author", "github_id", "name", "date")


@check("pkg.files", "FAIL", "README, submission.json, train_gpt.py and at least one log are there", "challenge README")
def check_files(view: View) -> Outcome:
    """Required files are regular, readable and not empty."""
    problems = {}
    for name in view.challenge.required_files:
        try:
            if view.path(name).stat().st_size == 0:
                problems[name] = "is empty"
        except Unreadable as error:
            problems[name] = str(error)
    problems |= view.unreadable_logs
    if len(view.log_names) >= LOG_COUNT:
        problems["logs"] = f"there are {LOG_COUNT} logs or more; wanted one per seed"
    if not view.log_names:
        problems["logs"] = "there is no log; wanted one per seed, e.g. logs/train_seed1337.log"
    return per_log(problems, f"{len(view.challenge.required_files)} files and {len(view.logs)} logs are there")


@check("pkg.links", "FAIL", "nothing in the folder leads out of it or is no file", "challenge README: self-contained")
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
    return per_log(problems, "every name is a file or folder of its own")


@check("pkg.entry", "FAIL", "train_gpt.py is Python source that parses", "challenge README: it runs in the folder")
def check_entry(view: View) -> Outcome:
    """Parse it; nothing runs."""
    code, problem = view.code
    if code is None:
        return violated(problem)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return violated(f"train_gpt.py does not parse: {printable(str(error)[:200])}")
    return passed(f"train_gpt.py parses ({len(code):,} bytes)")


@check("pkg.json", "FAIL", "submission.json is one JSON object for a strict parser", "challenge README")
def check_json(view: View) -> Outcome:
    """UTF-8, no NaN, no trailing data."""
    claim, problem = view.claim
    return passed("submission.json is a JSON object") if claim is not None else violated(problem)


@check("pkg.fields", "FAIL", "submission.json says who, what, when, the score and the size", "challenge README")
def check_fields(view: View) -> Outcome:
    """Required fields with values of the right kind."""
    claim, _ = view.claim
    if claim is None:
        return skipped("there is no readable submission.json")
    problems = {}
    for name in view.challenge.required_fields:
        problem = _field_problem(name, claim)
        if problem:
            problems[name] = problem
    return per_log(problems, f"{len(view.challenge.required_fields)} required fields are there")


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


def is_number(value: Any) -> bool:
    """A finite JSON number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@check("pkg.author", "WARN", "author and github_id name a person", "challenge README")
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
