"""Finds a text transform among the plugins, for commands that prepare data."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pgolf.binding import check_component
from pgolf.component import Component
from pgolf.errors import PgolfError, raise_all
from pgolf.hookspecs import CONTRACTS
from pgolf.lock import plugin_entry
from pgolf.manager import Registry
from pgolf.providers import Providers
from pgolf.recipe import Recipe
from pgolf.select import select

if TYPE_CHECKING:
    from pgolf.data.transform import Transform

HOOK = "text_transform"
HELP = f"see `pgolf plugins hooks {HOOK}`"


def find_transform(name: str, settings: Mapping[str, Any], registry: Registry) -> Transform:
    """The transform that the plugin `name` provides with these settings.

    Raises:
        PgolfError: PG102 for an unknown plugin, PG004 for one without a transform, PG003 for a bad setting, PG108 for a
            class that does not fit its contract, PG105 for one that cannot be made or sent to worker processes.
    """
    from pgolf.data.transform import Transform

    loaded = registry.get(name, "--transform")
    if HOOK not in loaded.hooks:
        there = sorted(other for other, found in registry.plugins.items() if HOOK in found.hooks)
        text = f"the plugin {name} has no text transform"
        raise PgolfError("PG004", text, "--transform", f"plugins with one: {', '.join(there) or 'none'}")
    selection = select(Recipe(name="transform", layers=((name,),), settings=dict(settings)), registry)
    provided = Providers(selection).slot(HOOK)
    if not provided:
        raise PgolfError("PG004", f"{name} has no text transform with these settings", "--set")
    (_, component) = provided[0]
    raise_all(check_component(HOOK, name, component, CONTRACTS[HOOK]))
    try:
        made = instance(component)
        pickle.dumps(made)
    except Exception as error:  # a plugin is other people's code: its defect becomes one line that names it
        text = f"{HOOK} of {name} cannot be used: {type(error).__name__}: {error}".splitlines()[0]
        raise PgolfError("PG105", text, str(loaded.path), HELP) from None
    if not isinstance(made.symbols, tuple) or not all(isinstance(symbol, str) and symbol for symbol in made.symbols):
        text = f"{HOOK} of {name} has the symbols {made.symbols!r}, wanted a tuple of texts"
        raise PgolfError("PG105", text, str(loaded.path), HELP)
    return Transform(made, {"name": name, **plugin_entry(loaded), "component": repr(component)})


def transform_of(plugins: Iterable[str], settings: Mapping[str, Any], registry: Registry) -> Transform | None:
    """The transform that data need for a build with these plugins and all its settings; None for text as it is."""
    for name in plugins:
        loaded = registry.get(name)
        if HOOK in loaded.hooks:
            known = {setting.name for setting in loaded.plugin.settings}
            return find_transform(name, {key: value for key, value in settings.items() if key in known}, registry)
    return None


def instance(value: Any) -> Any:
    """What the entry module would make of a component, with its arguments."""
    if not isinstance(value, Component):
        return value
    return value.target(**{key: instance(argument) for key, argument in value.arguments.items()})
