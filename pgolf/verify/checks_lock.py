"""Checks of provenance: the lock, the file it describes, and building it again."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import shlex

from pgolf.errors import PgolfError
from pgolf.verify.folder import CODE_NAME, JSON_LIMIT, Unreadable, View, printable
from pgolf.verify.registry import Outcome, check, passed, skipped, violated

RECIPE_NAME = "recipe.toml"
MOST_LAYERS = 4096
"""A plan is made of layers while building; more would only keep the verifier busy."""
NO_LOCK = "there is no usable pgolf.lock"


@check(
    "lock.present",
    "FAIL",
    "a readable pgolf.lock says how the file was built",
    "pgolf: provenance",
    "pgolf.lock is cut off",
)
def check_present(view: View) -> Outcome:
    """Format and shape."""
    if not view.built:
        return skipped("there is no pgolf.lock: not built by pgolf build")
    lock, problem = view.lock
    if lock is None:
        return violated(f"{problem}; build the folder with pgolf build")
    return passed(f"built by pgolf {printable(lock.tools.get('pgolf', '?'))} from {len(lock.plugins)} plugins")


@check(
    "lock.code",
    "FAIL",
    "train_gpt.py is the file that pgolf.lock describes",
    "pgolf: provenance",
    "train_gpt.py was edited after the build",
)
def check_code(view: View) -> Outcome:
    """Size and SHA-256."""
    lock, code = view.lock[0], view.code[0]
    if lock is None or code is None:
        return skipped(NO_LOCK if lock is None else view.code[1])
    found = hashlib.sha256(code).hexdigest()
    evidence = {"found": found, "wanted": lock.code_sha256, "bytes": len(code)}
    if found == lock.code_sha256 and len(code) == lock.code_bytes:
        return passed(f"sha256 {found[:16]}..., {len(code):,} bytes", **evidence)
    return violated(
        f"{CODE_NAME} has sha256 {found[:16]}..., the lock says {printable(lock.code_sha256[:16])}...", **evidence
    )


@check(
    "lock.recipe",
    "WARN",
    "recipe.toml is the one that was built",
    "pgolf: provenance",
    "a plugin was added to recipe.toml after the build",
)
def check_recipe(view: View) -> Outcome:
    """An edited recipe beside an old build misleads."""
    lock, _ = view.lock
    if lock is None:
        return skipped(NO_LOCK)
    try:
        found = hashlib.sha256(view.read(RECIPE_NAME, JSON_LIMIT)).hexdigest()
    except Unreadable as error:
        return violated(f"{RECIPE_NAME} {error}")
    if found == lock.recipe_sha256:
        return passed("recipe.toml is unchanged since the build")
    return violated("recipe.toml was changed after the build: build again with pgolf build")


@check(
    "lock.rebuild",
    "FAIL",
    "building from pgolf.lock gives the shipped bytes",
    "pgolf: provenance",
    "building again gives 23 bytes less",
)
def check_rebuild(view: View) -> Outcome:
    """Build again with the plugins of this installation and compare byte for byte."""
    return rebuilt(view)


@functools.lru_cache(maxsize=4)
def rebuilt(view: View) -> Outcome:
    """The outcome of building again; checks that run the file ask for it, too: one that is not reproduced is foreign code."""
    lock, code = view.lock[0], view.code[0]
    if lock is None or code is None:
        return skipped(NO_LOCK if lock is None else view.code[1])
    if not _has_torch():
        return skipped("plugins import torch, which is not installed here")
    from pgolf.lock import differences
    from pgolf.submission import rebuild

    layers = lock.settings.get("num_layers", 0)
    if not isinstance(layers, int) or layers > MOST_LAYERS:
        return violated(f"num_layers is {printable(str(layers)[:40])}, wanted at most {MOST_LAYERS}")
    registry = view.registry()
    differing = [printable(line) for line in differences(lock, registry)]
    foreign = {name: entry for name, entry in lock.plugins.items() if name not in registry.plugins}
    if foreign and all(entry["origin"] != "pgolf" for entry in foreign.values()):
        where = shlex.quote(str(view.shown))
        return skipped(
            f"needs the plugins {printable(', '.join(sorted(foreign)))}, which are not installed here: "
            f"install them, or pgolf verify {printable(where)} --plugin-dir DIR",
            differences=differing,
        )
    try:
        built = rebuild(lock, registry)
    except PgolfError as error:
        return violated(
            _with_reasons(f"cannot be built again: {printable(error.message)}", differing), differences=differing
        )
    except Exception as error:  # the lock is other people's data and may drive a plugin anywhere
        return violated(
            f"cannot be built again: {type(error).__name__}: {printable(str(error)[:200])}", differences=differing
        )
    if built.code == code:
        return passed(f"the same {len(code):,} bytes", differences=differing)
    at = next((index for index, pair in enumerate(zip(built.code, code, strict=False)) if pair[0] != pair[1]), None)
    place = f"they differ from byte {at} on" if at is not None else "one is the beginning of the other"
    text = f"building again gives {len(built.code):,} bytes, shipped are {len(code):,}; {place}"
    return violated(_with_reasons(text, differing), differences=differing, sha256=built.sha256)


def _has_torch() -> bool:
    """Can plugins be loaded at all? Where they cannot, nothing is known of what they would build."""
    try:
        return importlib.util.find_spec("torch") is not None
    except ImportError:
        return False


def _with_reasons(text: str, differing: list[str]) -> str:
    return f"{text}. Different here: {'; '.join(differing)}" if differing else text
