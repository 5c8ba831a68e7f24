"""Which installed distributions bring plugins, and whether these fit: what `pgolf plugins index` shows."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

from pgolf.component import Plugin
from pgolf.manager import ENTRY_POINT_GROUP, Registry


@dataclass(frozen=True)
class Brought:
    """One plugin of one distribution.

    Attributes:
        requires: what the distribution says that it needs of pgolf, such as "pgolf>=0.1".
        hook_version: the hooks that the plugin asks for, "" where it does not say or could not be loaded.
        problem: why it cannot be used, "" where it can.
    """

    distribution: str
    version: str
    requires: str
    plugin: str
    family: str
    hook_version: str
    summary: str
    problem: str


def index(registry: Registry) -> list[Brought]:
    """By distribution, then by plugin; `registry` has loaded, or tried to load, everything that is installed."""
    found = []
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        name, version = (point.dist.name, point.dist.version) if point.dist else ("unknown", "")
        needs = metadata.requires(name) or [] if point.dist else []
        requires = next((need for need in needs if need.lower().startswith("pgolf") and is_pgolf(need)), "")
        loaded = next((one for one in registry.plugins.values() if one.module.__name__ == point.module), None)
        if loaded is not None and loaded.origin == name:
            plugin = loaded.plugin
            found.append(Brought(name, version, requires, plugin.name, *about(plugin), ""))
        else:
            problem = registry.broken.get(point.name)
            told = problem.message if problem else "it was not loaded"
            found.append(Brought(name, version, requires, point.name, "", "", "", told))
    return sorted(found, key=lambda one: (one.distribution, one.plugin))


def about(plugin: Plugin) -> tuple[str, str, str]:
    """(family, version of the hooks, summary)."""
    return plugin.family, plugin.hook_version, plugin.summary


def is_pgolf(need: str) -> bool:
    """Is a requirement one of pgolf itself, and not of a package whose name begins so?"""
    rest = need[len("pgolf") :].lstrip()
    return not rest or rest[0] in "<>=!~;(["
