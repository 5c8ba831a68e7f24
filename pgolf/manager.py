"""Finds plugins and decides, in this one place, which take part and in which order.

Order comes from the plugins' `order`, `before` and `after` and from names, never from the command line or from pluggy's
own call order: the same set of plugins builds the same bytes.
"""

from __future__ import annotations

import difflib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from pgolf import hook_version, hookspecs
from pgolf.collector import paused_collector
from pgolf.component import FAMILIES, Need, Plugin
from pgolf.errors import PgolfError

ENTRY_POINT_GROUP = "pgolf.plugins"


@dataclass(frozen=True)
class Loaded:
    """A plugin that was found: its record, its module and where it came from."""

    plugin: Plugin
    module: ModuleType
    path: Path
    origin: str  # "pgolf", a folder, or a distribution's name
    version: str
    hooks: dict[str, Callable[..., Any]] = field(repr=False)

    @property
    def slots(self) -> tuple[str, ...]:
        """Slots this plugin fills."""
        return tuple(name for name in self.hooks if hookspecs.HOOKS[name][1] in ("slot", "optional slot"))


@dataclass
class Registry:
    """Every plugin by name, and one problem per plugin that could not be loaded.

    Attributes:
        broken: names that stand for a problem: those of the module and of the entry point.
    """

    plugins: dict[str, Loaded] = field(default_factory=dict)
    problems: list[PgolfError] = field(default_factory=list)
    broken: dict[str, PgolfError] = field(default_factory=dict)

    def get(self, name: str, where: str = "") -> Loaded:
        """The plugin called `name`; what is wrong with it where it could not be loaded, PG102 with a suggestion otherwise."""
        if name in self.plugins:
            return self.plugins[name]
        if name in self.broken:
            raise self.broken[name]
        close = difflib.get_close_matches(name, sorted(self.plugins), 1)
        hint = f"did you mean {close[0]}?" if close else "pgolf plugins lists all names"
        raise PgolfError("PG102", f"there is no plugin {name!r}", where, hint)


def load_registry(plugin_dirs: Sequence[Path] = ()) -> Registry:
    """Built-in plugins, then folders, then installed distributions; a broken one is reported and left out."""
    from importlib import metadata  # what only reads folders does without it

    registry = Registry()
    manager = pluggy.PluginManager("pgolf")
    manager.add_hookspecs(hookspecs)
    version = metadata.version("pgolf")
    with paused_collector():
        for name, path in built_in_modules():
            _load(registry, manager, name, path, "pgolf", version, partial(importlib.import_module, name))
    for folder in plugin_dirs:
        _load_folder(registry, manager, folder)
    for point in sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        origin, version = (point.dist.name, point.dist.version) if point.dist else ("unknown", "")
        known = set(registry.broken)
        _load(registry, manager, point.value, None, origin, version, point.load)
        for module in set(registry.broken) - known:
            registry.broken[point.name] = registry.broken[module]
    return registry


def built_in_modules() -> list[tuple[str, Path]]:
    """Name and file of every plugin that comes with pgolf."""
    package = importlib.import_module("pgolf_plugins")
    root = Path(package.__path__[0])
    return [
        (f"pgolf_plugins.{path.parent.name}.{path.stem}", path)
        for path in sorted(root.glob("*/*.py"))
        if not path.name.startswith("_")
    ]


def _load_folder(registry: Registry, manager: pluggy.PluginManager, folder: Path) -> None:
    folder = folder.resolve()
    if not folder.is_dir():
        raise PgolfError("PG001", f"{folder} is not a folder", "--plugin-dir", "give a folder of plugin files")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith(("_", "test_")):
            _load(registry, manager, path.stem, path, str(folder), "", partial(_import_file, path))


def _import_file(path: Path) -> ModuleType:
    module = sys.modules.get(path.stem)
    if module is not None and getattr(module, "__file__", None) != str(path):
        raise ImportError(f"the module name {path.stem} is taken by {getattr(module, '__file__', 'a built-in')}")
    return importlib.import_module(path.stem)


def _load(
    registry: Registry,
    manager: pluggy.PluginManager,
    name: str,
    path: Path | None,
    origin: str,
    version: str,
    importer: Callable[[], ModuleType],
) -> None:
    """Import and check one plugin; whatever goes wrong becomes one problem that names it."""
    where = str(path or name)
    try:
        module = importer()
        loaded = _check(registry, manager, module, path, origin, version)
        registry.plugins[loaded.plugin.name] = loaded
        return
    except PgolfError as error:
        problem = error
        problem.where = problem.where or where
    except Exception as error:  # a plugin is other people's code: any failure is its own, and must not stop the rest
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        hint = "install it, or leave the plugin out" if isinstance(error, ModuleNotFoundError) else ""
        problem = PgolfError(
            "PG101", f"the plugin {name} cannot be loaded: {text}", place_of(error, path) or where, hint
        )
    registry.problems.append(problem)
    registry.broken[name.rsplit(".", 1)[-1].rsplit(":", 1)[-1]] = problem


def place_of(error: BaseException, path: Path | None) -> str:
    """file:line of the last line of a plugin's own file (or of any plugin, where `path` is None) that an error went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if (Path(frame.filename) == path if path else not frame.filename.startswith(("<", str(Path(__file__).parent))))
    ]
    own = [frame for frame in own if "importlib" not in frame.filename]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _check(
    registry: Registry, manager: pluggy.PluginManager, module: ModuleType, path: Path | None, origin: str, version: str
) -> Loaded:
    """The plugin's metadata and hook signatures, verified."""
    where = str(path or module.__name__)
    plugin = getattr(module, "PLUGIN", None)
    if not isinstance(plugin, Plugin):
        raise PgolfError(
            "PG104", f"{module.__name__} has no PLUGIN record", where, "add PLUGIN = Plugin(name=..., ...)"
        )
    stem = module.__name__.rsplit(".", 1)[-1]
    if plugin.name != stem:
        raise PgolfError(
            "PG104", f"PLUGIN.name is {plugin.name!r}, the file is called {stem!r}", where, "make them equal"
        )
    missing = [key for key in ("summary", "source") if not getattr(plugin, key).strip()]
    if missing:
        raise PgolfError(
            "PG104", f"{plugin.name} has no {' and no '.join(missing)}", where, "fill in the PLUGIN record"
        )
    if plugin.family not in FAMILIES:
        raise PgolfError("PG104", f"family is {plugin.family!r}", where, f"use one of {', '.join(FAMILIES)}")
    hook_version.check(plugin.name, plugin.hook_version, where)
    if not isinstance(plugin.needs, tuple) or not all(isinstance(need, Need) for need in plugin.needs):
        hint = 'e.g. needs=(Need("program", "lrzip", "packs each group"),)'
        raise PgolfError("PG104", f"{plugin.name}.needs is not a tuple of Need", where, hint)
    if plugin.name in registry.plugins:
        other = registry.plugins[plugin.name].path
        raise PgolfError("PG103", f"the plugin name {plugin.name!r} is taken by {other}", where, "rename one")
    try:
        manager.register(module, plugin.name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PgolfError(
            "PG105", str(error).replace("\n", " "), where, "`pgolf plugins hooks` shows what each hook is given"
        ) from None
    hooks = {
        caller.name: impl.function
        for caller in manager.get_hookcallers(module) or ()
        for impl in caller.get_hookimpls()
        if impl.plugin is module
    }
    unknown = sorted(set(hooks) - set(hookspecs.HOOKS))
    if unknown or not hooks:
        manager.unregister(module)
        seen = (
            f"{plugin.name} implements unknown hooks {', '.join(unknown)}" if unknown else f"{plugin.name} has no hook"
        )
        close = difflib.get_close_matches(unknown[0], hookspecs.HOOKS, 1) if unknown else []
        hint = f"did you mean {close[0]}?" if close else "`pgolf plugins hooks` lists those there are"
        raise PgolfError("PG105", seen, where, hint)
    return Loaded(plugin, module, Path(module.__file__ or where), origin, version, hooks)


def chain(plugins: Iterable[Loaded]) -> list[Loaded]:
    """Plugins of one tap in running order: `before` and `after` first, then `order`, then the name.

    Raises:
        PgolfError: PG107 when `before` and `after` contradict each other.
    """
    waiting = sorted(plugins, key=lambda loaded: (loaded.plugin.order, loaded.plugin.name))
    names = {loaded.plugin.name for loaded in waiting}
    earlier: dict[str, set[str]] = {name: set() for name in names}
    for loaded in waiting:
        earlier[loaded.plugin.name] |= set(loaded.plugin.after) & names
        for other in set(loaded.plugin.before) & names:
            earlier[other].add(loaded.plugin.name)
    done: list[Loaded] = []
    placed: set[str] = set()
    while waiting:
        ready = next((loaded for loaded in waiting if earlier[loaded.plugin.name] <= placed), None)
        if ready is None:
            circle = ", ".join(loaded.plugin.name for loaded in waiting)
            raise PgolfError("PG107", f"no order satisfies before/after of {circle}", hint="drop one of the plugins")
        waiting.remove(ready)
        done.append(ready)
        placed.add(ready.plugin.name)
    return done
