"""recipe.toml and the command line, which say the same things, as one validated record."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pgolf.challenge import DEFAULT_CHALLENGE, find_challenge
from pgolf.errors import PgolfError

KEYS = ("name", "extends", "challenge", "plugins", "remove", "settings", "notes")


@dataclass(frozen=True)
class Recipe:
    """What to build.

    Attributes:
        name: name of the submission; also the default folder's.
        layers: lists of plugin names, base recipe first; in a slot, a later layer's plugin wins.
        remove: plugins of the base recipe or the baseline to leave out.
        settings: values by name, not yet typed.
        fixed: settings that the command line has set, which a smoke build leaves as they are.
        challenge: the dated rule set.
        notes: text for people, kept in the lock.
        path: the file it came from, or None for a recipe from the command line.
    """

    name: str
    layers: tuple[tuple[str, ...], ...] = ()
    remove: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    challenge: str = DEFAULT_CHALLENGE
    notes: str = ""
    path: Path | None = None

    def override(
        self, plugins: Sequence[str] = (), settings: Mapping[str, Any] | None = None, name: str = ""
    ) -> Recipe:
        """This recipe with one more layer of plugins and with settings on top."""
        layers = (*self.layers, tuple(plugins)) if plugins else self.layers
        settings = settings or {}
        return replace(
            self,
            layers=layers,
            settings={**self.settings, **settings},
            fixed=self.fixed | set(settings),
            name=name or self.name,
        )

    @property
    def where(self) -> str:
        """For error messages."""
        return str(self.path or "command line")


def load_recipe(path: Path, seen: tuple[Path, ...] = ()) -> Recipe:
    """Read a recipe file, following `extends`.

    Args:
        path: a recipe file, or a folder that holds a recipe.toml.

    Raises:
        PgolfError: PG001 when a file cannot be read, PG002 for bad TOML, unknown keys, wrong types or a circle.
    """
    # Not resolve(), which raises for a loop of links: reading says of it what it says of any file.
    path = Path(os.path.realpath(path / "recipe.toml" if path.is_dir() else path))
    if path in seen:
        circle = " -> ".join(str(part) for part in (*seen, path))
        raise PgolfError("PG002", f"recipes extend each other in a circle: {circle}", str(path), "remove one `extends`")
    document = _read_toml(path)
    where = str(path)
    _check_keys(document, where)
    base = Recipe(name=path.parent.name)
    if "extends" in document:
        base = _extended(path, _typed(document, "extends", str, where), (*seen, path))
    challenge = _typed(document, "challenge", str, where, base.challenge)
    find_challenge(challenge, f"{where}: challenge")
    return Recipe(
        name=_typed(document, "name", str, where, path.parent.name),
        layers=(*base.layers, _names(document, "plugins", where)),
        remove=(*base.remove, *_names(document, "remove", where)),
        settings={**base.settings, **_typed(document, "settings", dict, where, {})},
        challenge=challenge,
        notes=_typed(document, "notes", str, where, ""),
        path=path,
    )


def _extended(path: Path, name: str, seen: tuple[Path, ...]) -> Recipe:
    """The recipe that another one extends; the message for one that is not there names both."""
    if not (path.parent / name).exists():
        hint = "paths of `extends` are relative to the recipe that has them"
        raise PgolfError("PG001", f"it extends {name}, which is not there", f"{path}: extends", hint)
    return load_recipe(path.parent / name, seen)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PgolfError(
            "PG001", f"cannot read the recipe: {reason}", str(path), "give a recipe.toml or its folder"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise PgolfError("PG002", f"not valid TOML: {error}", str(path), "see docs/recipes.md for an example") from None


def _check_keys(document: Mapping[str, Any], where: str) -> None:
    for key in document:
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, 1)
            hint = (
                f"did you mean {close[0]}?" if close else f"known keys: {', '.join(KEYS)}; settings go under [settings]"
            )
            raise PgolfError("PG002", f"the recipe has an unknown key {key!r}", where, hint)


def _typed(document: Mapping[str, Any], key: str, wanted: type, where: str, default: Any = None) -> Any:
    value = document.get(key, default)
    if not isinstance(value, wanted):
        names: dict[type, str] = {str: "text", dict: "a table", list: "a list"}
        raise PgolfError("PG002", f"{key} is {value!r}, wanted {names[wanted]}", where)
    return value


def _names(document: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    names = _typed(document, key, list, where, [])
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise PgolfError("PG002", f"{key} holds {wrong[0]!r}, wanted plugin names", where)
    return tuple(names)


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """`key=value` arguments of `--set` as a mapping; PG004 for anything else."""
    found: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise PgolfError(
                "PG004", f"--set got {text!r}", "command line", "write --set name=value, e.g. --set num_layers=11"
            )
        found[key.strip().lower()] = value.strip()
    return found


def dump_recipe(
    name: str,
    plugins: Sequence[str],
    remove: Sequence[str],
    settings: Mapping[str, Any],
    challenge: str,
    notes: str = "",
) -> str:
    """A self-contained recipe file that resolves to the same build."""
    lines = ["# Written by pgolf build: the whole recipe, nothing extended.", f"name = {toml_value(name)}"]
    lines.append(f"challenge = {toml_value(challenge)}")
    if notes:
        lines.append(f"notes = {toml_value(notes)}")
    lines += [f"plugins = {toml_value(list(plugins))}"]
    if remove:
        lines.append(f"remove = {toml_value(list(remove))}")
    lines += ["", "[settings]", *(f"{key} = {toml_value(value)}" for key, value in sorted(settings.items()))]
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A TOML literal for text, numbers, booleans and lists of these."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'
    return "[" + ", ".join(toml_value(item) for item in value) + "]"
