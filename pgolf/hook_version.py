"""The version of the hooks, and which versions a plugin may ask for.

A minor number rises when something is added, the major one when something that plugins may rely on is changed or removed
(docs/hooks.md, "What will stay"). A plugin that asks for 1.2 works with 1.2, 1.3 and so on, and not with 1.1 or 2.0.
"""

from __future__ import annotations

import re

from pgolf.errors import PgolfError

HOOK_VERSION = "1.0"


def parse(version: str) -> tuple[int, int] | None:
    """`1.2` as (1, 2); None for anything else."""
    match = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", version) if isinstance(version, str) else None
    return (int(match[1]), int(match[2])) if match else None


def fits(wanted: str, here: str = HOOK_VERSION) -> bool:
    """Does a plugin that asks for `wanted` work with these hooks? Yes where it does not say, "".

    Raises:
        PgolfError: PG104 for what is no version.
    """
    if wanted == "":
        return True
    version, own = parse(wanted), parse(here)
    if version is None or own is None:
        raise PgolfError("PG104", f"hook_version is {wanted!r}", hint=f'write hook_version="{here}"')
    return version[0] == own[0] and version[1] <= own[1]


def check(name: str, wanted: str, where: str) -> None:
    """PG109 for a plugin of other hooks, PG104 for what is no version."""
    try:
        if fits(wanted):
            return
    except PgolfError as error:
        error.where = where
        raise
    newer = (parse(wanted) or (0, 0)) > (parse(HOOK_VERSION) or (0, 0))
    hint = "install a newer pgolf" if newer else "install a newer release of the plugin"
    raise PgolfError("PG109", f"{name} asks for hooks {wanted}, here are {HOOK_VERSION}", where, hint)
