"""pgolf.lock: everything that decided the bytes of a build, so that anyone can make them again."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from pgolf.component import Need
from pgolf.errors import PgolfError
from pgolf.manager import Loaded, Registry
from pgolf.recipe import Recipe
from pgolf.strict_json import strict_loads

LOCK_NAME = "pgolf.lock"
FORMAT = 2
LIMIT = 4 * 2**20
"""Most bytes of a lock file that are read."""
MOST_NAMES, LONGEST_NAME = 4096, 200
MODULE = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Lock:
    """One build's provenance.

    Attributes:
        recipe: name, plugins (those chosen), remove, settings (every value), challenge, notes.
        recipe_sha256: hash of the recipe.toml beside the lock.
        smoke: whether sizes were replaced by those of a smoke build.
        plugins: name -> version, origin, sha256 of the source file, for every selected plugin.
        modules: bundled module -> sha256 of its source.
        needs: what a run needs beyond torch, numpy and sentencepiece, sorted.
        tools: distribution -> version, for everything that shaped the bytes.
        python: version of the Python that built.
        pack: asked for, and made.
        stages: bytes after each stage.
        code_bytes, code_sha256: of train_gpt.py.
    """

    recipe: Mapping[str, Any]
    recipe_sha256: str
    smoke: bool
    plugins: Mapping[str, Mapping[str, str]]
    modules: Mapping[str, str]
    needs: tuple[Need, ...]
    tools: Mapping[str, str]
    python: str
    pack: Mapping[str, str]
    stages: Mapping[str, int]
    code_bytes: int
    code_sha256: str
    format: int = FORMAT

    @property
    def name(self) -> str:
        """The submission's name."""
        return str(self.recipe["name"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every setting's value."""
        settings: Mapping[str, Any] = self.recipe["settings"]
        return settings

    @property
    def side_files(self) -> bool:
        """Whether the program counts bytes from side files beside the validation shards."""
        return "pgolf.runtime.side_files" in self.modules

    def to_recipe(self) -> Recipe:
        """The recipe that makes the same build, given the same plugins."""
        return Recipe(
            name=self.name,
            layers=(tuple(self.recipe["plugins"]),),
            remove=tuple(self.recipe["remove"]),
            settings=dict(self.settings),
            challenge=self.recipe["challenge"],
            notes=self.recipe["notes"],
        )

    def dump(self) -> str:
        """The file's text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


def parse_lock(data: bytes, where: str) -> Lock:
    """A lock from untrusted bytes.

    Raises:
        PgolfError: PG505, when it is not a lock of this format.
    """
    hint = "build the folder again with pgolf build"
    try:
        document = strict_loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PgolfError("PG505", f"the lock is not JSON: {str(error)[:120]}", where, hint) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PgolfError("PG505", f"the lock is not of format {FORMAT}", where, hint)
    problem = _shape_problem(document)
    if problem:
        raise PgolfError("PG505", f"the lock is damaged: {problem}", where, hint)
    try:
        needs = tuple(Need(**need) for need in document["needs"])
    except PgolfError as error:
        raise PgolfError("PG505", f"the lock is damaged: {error.message[:120]}", where, hint) from None
    return Lock(**{**document, "needs": needs})


def read_lock(folder: Path) -> Lock:
    """The lock of a folder; PG505 where there is none or it is damaged."""
    path = folder / LOCK_NAME
    try:
        data = path.read_bytes()[: LIMIT + 1]
    except OSError as error:
        reason = error.strerror or str(error)
        raise PgolfError("PG505", f"no lock: {reason}", str(path), "build the folder with pgolf build") from None
    if len(data) > LIMIT:
        raise PgolfError("PG505", f"the lock is larger than {LIMIT:,} bytes", str(path))
    return parse_lock(data, str(path))


_TEXT_TABLES = ("modules", "tools", "pack")
_ENTRY = {"version", "origin", "sha256"}
_RECIPE_TYPES: dict[str, type] = {
    "name": str,
    "plugins": list,
    "remove": list,
    "settings": dict,
    "challenge": str,
    "notes": str,
}


def _shape_problem(document: dict[str, Any]) -> str:
    """What is wrong with a lock's shape, or ""."""
    wanted = {field.name for field in fields(Lock)}
    if set(document) != wanted:
        return f"keys {', '.join(sorted(set(document) ^ wanted))} are missing or unknown"
    types = {"recipe": dict, "plugins": dict, "stages": dict, "needs": list, "smoke": bool, "code_bytes": int}
    types |= {"recipe_sha256": str, "python": str, "code_sha256": str} | dict.fromkeys(_TEXT_TABLES, dict)
    for key, kind in types.items():
        if not isinstance(document[key], kind):
            return f"{key} is not {kind.__name__}"
    texts: list[Any] = [value for key in _TEXT_TABLES for value in document[key].values()]
    texts += [value for need in document["needs"] for value in _values(need, {"kind", "name", "why"})]
    texts += [value for entry in document["plugins"].values() for value in _values(entry, _ENTRY)]
    if not all(isinstance(text, str) for text in texts):
        return "a version, hash or need is not text"
    if problem := _odd_name(document):
        return problem
    recipe = document["recipe"]
    for key, kind in _RECIPE_TYPES.items():
        if not isinstance(recipe.get(key), kind):
            return f"recipe.{key} is not {kind.__name__}"
    if not all(isinstance(name, str) for name in (*recipe["plugins"], *recipe["remove"])):
        return "a plugin name is not text"
    if not all(isinstance(value, (bool, int, float, str)) for value in recipe["settings"].values()):
        return "a setting is not a plain value"
    return ""


def _odd_name(document: dict[str, Any]) -> str:
    """A name, a hash or a size that no build writes, or ""."""
    hashes = {"code_sha256": document["code_sha256"], "recipe_sha256": document["recipe_sha256"], **document["modules"]}
    hashes |= {name: entry["sha256"] for name, entry in document["plugins"].items()}
    names = [*document["modules"], *document["plugins"], *document["tools"]]
    if len(names) > MOST_NAMES:
        return f"it names more than {MOST_NAMES:,} modules, plugins and tools"
    for name in names:
        if len(name) > LONGEST_NAME or not MODULE.fullmatch(name):
            return f"{name[:40]!r} is not the name of a module, plugin or tool"
    for name, text in hashes.items():
        if not SHA256.fullmatch(text):
            return f"the hash of {name[:80]} is not one"
    sizes = {"code_bytes": document["code_bytes"], **document["stages"]}
    return next((f"{name[:40]} is no size" for name, size in sizes.items() if type(size) is not int or size < 0), "")


def _values(entry: Any, keys: set[str]) -> Iterable[Any]:
    """The texts of an entry with these keys; anything else gives a value that is not text."""
    if isinstance(entry, dict) and set(entry) == keys:
        return list(entry.values())
    return [None]


def plugin_entry(loaded: Loaded) -> dict[str, str]:
    """A plugin's line in the lock; a folder's own path is nobody else's business, so its origin is "folder"."""
    origin = "folder" if "/" in loaded.origin or "\\" in loaded.origin else loaded.origin
    return {"version": loaded.version, "origin": origin, "sha256": file_hash(loaded.path)}


def file_hash(path: Path) -> str:
    """SHA-256 of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tool_versions(packed: str) -> dict[str, str]:
    """Versions of what shapes the bytes, for a file packed as `packed`."""
    names = ["pgolf", "python-minifier"] + (["brotli"] if "brotli" in packed else [])
    from importlib.metadata import version

    return {name: version(name) for name in names}


def differences(lock: Lock, registry: Registry) -> list[str]:
    """How this installation differs from the one that wrote the lock; empty when it can make the same bytes."""
    found = []
    for name, entry in sorted(lock.plugins.items()):
        if name not in registry.plugins:
            found.append(f"the plugin {name} ({entry['origin']} {entry['version']}) is not installed")
            continue
        here = plugin_entry(registry.plugins[name])
        if here["sha256"] != entry["sha256"]:
            found.append(f"the plugin {name} has another source here ({here['version']}; lock: {entry['version']})")
    plugin_modules = {registry.plugins[name].module.__name__ for name in lock.plugins if name in registry.plugins}
    for module, sha256 in sorted(lock.modules.items()):
        here_hash = sha256 if module in plugin_modules else _module_hash(module, registry)
        if here_hash != sha256:
            found.append(f"the module {module} {'has another source' if here_hash else 'is not'} here")
    found += [
        f"{tool} is {here} here, {lock.tools[tool]} in the lock"
        for tool, here in _installed(lock.tools).items()
        if here != lock.tools[tool]
    ]
    # The syntax tree prints differently from one minor version to the next.
    if python_version().split(".")[:2] != lock.python.split(".")[:2]:
        found.append(f"Python is {python_version()} here, {lock.python} in the lock")
    return found


def _module_hash(module: str, registry: Registry) -> str:
    """Hash of an engine or plugin module's source, "" for one that is not there. Nothing outside is looked up."""
    roots = {"pgolf_plugins"} | {loaded.module.__name__.split(".")[0] for loaded in registry.plugins.values()}
    if not module.startswith("pgolf.runtime.") and module.split(".")[0] not in roots:
        return ""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return ""
    return file_hash(Path(spec.origin))


def _installed(tools: Iterable[str]) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for tool in tools:
        try:
            found[tool] = version(tool)
        except (PackageNotFoundError, ValueError):
            found[tool] = "not installed"
    return found


def python_version() -> str:
    """Version of this Python."""
    return platform.python_version()
