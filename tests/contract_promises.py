"""What a module of contracts promises: protocols that components can be held to, and that the first party's fit."""

import functools
import inspect

from models import TINY, registry

from pgolf import hookspecs
from pgolf.binding import attributes, calls, check_component, methods
from pgolf.component import Component
from pgolf.errors import PgolfError
from pgolf.settings import CORE_SETTINGS, SettingsView


def protocols(module):
    """Its protocols by name."""
    own = {name: kind for name, kind in vars(module).items() if getattr(kind, "__module__", "") == module.__name__}
    return {name: kind for name, kind in own.items() if getattr(kind, "_is_protocol", False)}


def hooks_of(contract):
    """The hooks whose components are held to a protocol."""
    return sorted(hook for hook, held in hookspecs.CONTRACTS.items() if held is contract)


@functools.cache
def provided(hook):
    """(plugin, component) of every first-party plugin, at defaults, for hooks that ask for settings alone."""
    found = []
    for name, loaded in sorted(registry().plugins.items()):
        function = loaded.hooks.get(hook)
        if function is None or list(inspect.signature(function).parameters) != ["settings"]:
            continue
        try:
            given = function(SettingsView(defaults(), {name}))
        except PgolfError:  # its defaults ask for another model than this one
            continue
        given = given.values() if isinstance(given, dict) else [given]
        found += [(name, component) for component in given if isinstance(component, Component)]
    return found


@functools.cache
def defaults():
    """Every setting, at its default, of a tiny model."""
    values = {setting.name: setting.default for setting in CORE_SETTINGS}
    for loaded in registry().plugins.values():
        values |= {setting.name: setting.default for setting in loaded.plugin.settings}
    return {**values, **TINY, "recur_layers": "0"}  # the default asks for six layers


def check_promises(module, others=()):
    """All that a module of contracts promises; `others` are protocols that no hook names, because other code calls them."""
    found = protocols(module)
    assert found and inspect.getdoc(module)
    for name, contract in found.items():
        assert contract.__doc__, f"{name} does not say what it is for"
        assert calls(contract) or attributes(contract), f"{name} asks for nothing"
        for method, function in methods(contract):
            assert function.__doc__, f"{name}.{method} does not say what it gives"
            kinds = {parameter.kind for parameter in list(inspect.signature(function).parameters.values())[1:]}
            assert kinds <= {inspect.Parameter.POSITIONAL_ONLY}, f"{name}.{method} is called by position"
        assert bool(hooks_of(contract)) is not (name in others), f"{name} belongs to no hook, or to one after all"


def check_first_party(contract):
    """Every component that a first-party plugin gives for a protocol fits it; returns how many there are."""
    number = 0
    for hook in hooks_of(contract):
        for plugin, component in provided(hook):
            assert check_component(hook, plugin, component, contract) == []
            number += 1
    return number


def takes_nothing():
    """A component that fits no call."""


class HasNothing:
    """A component that fits no object."""


def check_refusals(contract):
    """What takes nothing and has nothing is refused, and what is wanted is said."""
    for hook in hooks_of(contract):
        for target in (takes_nothing, HasNothing):
            findings = check_component(hook, "toy", Component(target), contract)
            assert findings and all(finding.code == "PG108" for finding in findings)
            assert all(f"{hook} of toy" in finding.message for finding in findings)
            said = " ".join(f"{finding.message} {finding.hint}" for finding in findings)
            wanted = [word for call in calls(contract) for word in (call.method, *call.arguments)] + attributes(
                contract
            )
            assert any(name in said for name in wanted)
