"""Calls the hooks of the selected plugins, and checks what comes back against each hook's shape."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from pgolf import hookspecs
from pgolf.component import Component, PlanFacts
from pgolf.errors import PgolfError
from pgolf.manager import Loaded, chain, place_of
from pgolf.select import Selection
from pgolf.settings import UnknownSetting

Provided = tuple[str, Component]
"""Name of a plugin, and the component that it hands over."""


class Providers:
    """The selected plugins' hooks.

    Attributes:
        available: what a hook may ask for by the name of an argument; it grows as hooks are called.
    """

    def __init__(self, selection: Selection):
        self.selection = selection
        self.available: dict[str, Any] = {"settings": selection.settings, "plan": PlanFacts(0, 0, 0)}
        self.called: dict[str, list[tuple[Loaded, Any]]] = {}

    def call(self, hook: str) -> list[tuple[Loaded, Any]]:
        """(plugin, result) of every implementation in the order of a chain, without None results; called once."""
        if hook not in self.called:
            self.called[hook] = self._call(hook)
        return self.called[hook]

    def _call(self, hook: str) -> list[tuple[Loaded, Any]]:
        implementers = [loaded for loaded in self.selection.plugins.values() if hook in loaded.hooks]
        results = [(loaded, self._call_one(loaded, loaded.hooks[hook], hook)) for loaded in chain(implementers)]
        return [(loaded, result) for loaded, result in results if result is not None]

    def _call_one(self, loaded: Loaded, function: Callable[..., Any], hook: str) -> Any:
        arguments = {name: self.available[name] for name in inspect.signature(function).parameters}
        try:
            return function(**arguments)
        except PgolfError as error:
            error.where = error.where or f"{loaded.plugin.name}: {hook}"
            raise
        except UnknownSetting as error:
            hint = f"did you mean {error.close}?" if error.close else "declare it in PLUGIN's settings"
            place = place_of(error, loaded.path) or str(loaded.path)
            raise PgolfError("PG003", f"{hook} of {loaded.plugin.name}: {error}", place, hint) from error
        except Exception as error:  # a plugin's own defect becomes one line that names it
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            place = place_of(error, loaded.path) or str(loaded.path)
            raise PgolfError("PG105", f"{hook} of {loaded.plugin.name} failed: {text}", place) from error

    def chain(self, hook: str) -> list[Provided]:
        """Every component of a tap, in order."""
        found = self.call(hook)
        for loaded, result in found:
            if not isinstance(result, Component):
                raise _wrong_result(loaded, hook, result, "a Component")
        return [(loaded.plugin.name, result) for loaded, result in found]

    def slot(self, hook: str) -> list[Provided]:
        """The one component of a slot; none for an empty optional slot."""
        found = self.chain(hook)
        if len(found) > 1:
            names = " and ".join(repr(name) for name, _ in found)
            raise PgolfError("PG203", f"slot {hook!r} has {len(found)} providers: {names}", hint="keep one of them")
        if not found and hookspecs.HOOKS[hook][1] == "slot":
            raise empty_slot(hook)
        return found

    def records(self, hook: str) -> list[tuple[str, Any]]:
        """(plugin, record) of a hook that returns lists."""
        wanted, records = hookspecs.CONTRACTS[hook], []
        for loaded, result in self.call(hook):
            if not isinstance(result, list) or not all(isinstance(item, wanted) for item in result):
                raise _wrong_result(loaded, hook, result, f"a list of {wanted.__name__}")
            records += [(loaded.plugin.name, item) for item in result]
        return records

    def number(self, hook: str) -> float:
        """The sum of what all providers ask for."""
        found = self.call(hook)
        for loaded, result in found:
            if isinstance(result, bool) or not isinstance(result, (int, float)) or not 0 <= result < math.inf:
                raise _wrong_result(loaded, hook, result, "a finite number that is not negative")
        return float(sum(result for _, result in found))

    def by_name(self, hook: str) -> dict[str, Provided]:
        """One dict from all providers; a chosen plugin's keys win over the baseline's, two chosen ones collide."""
        merged: dict[str, Provided] = {}
        for loaded, result in self.call(hook):
            if not isinstance(result, dict) or not all(isinstance(item, Component) for item in result.values()):
                raise _wrong_result(loaded, hook, result, "a dict of Components")
            for key, value in result.items():
                name, chosen = loaded.plugin.name, self.selection.chosen
                if key not in merged or (name in chosen and merged[key][0] not in chosen):
                    merged[key] = (name, value)
                elif name in chosen and merged[key][0] in chosen:
                    text = f"{hook} gives {key!r} twice: {merged[key][0]!r} and {name!r}"
                    raise PgolfError("PG203", text, hint="keep one of them, or narrow one by its settings")
        return merged


def empty_slot(hook: str) -> PgolfError:
    """PG204."""
    return PgolfError("PG204", f"slot {hook!r} has no provider", hint="do not remove the baseline's provider")


def _wrong_result(loaded: Loaded, hook: str, result: Any, wanted: str) -> PgolfError:
    return PgolfError(
        "PG105",
        f"{hook} of {loaded.plugin.name} returned {result!r:.80}, wanted {wanted}",
        str(loaded.path),
        f"see `pgolf plugins hooks {hook}`",
    )
