"""From names to the set of plugins that take part: requirements, slots, the baseline, conflicts, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pgolf.component import Setting
from pgolf.errors import PgolfError, raise_all
from pgolf.manager import Loaded, Registry
from pgolf.recipe import Recipe
from pgolf.settings import CORE_SETTINGS, SettingsView, check_sizes, parse_value, unknown_setting

# The public baseline script as plugins. Each steps back for a selected plugin that fills its slot or `replaces` it.
BASELINE: tuple[str, ...] = (
    "adam",
    "additive_skips",
    "causal_attention",
    "chunked_eval",
    "cross_entropy",
    "int8",
    "layer_matrices",
    "momentum_warmup",
    "muon",
    "newton_schulz",
    "no_average",
    "qk_gain",
    "relu2",
    "rope",
    "sentencepiece_bytes",
    "sequential_loader",
    "sequential_wiring",
    "tanh_softcap",
    "tied_head",
    "torch_save",
    "unet_plan",
    "uniform_init",
    "wall_clock",
    "warmdown_iters",
    "zlib",
)


@dataclass
class Selection:
    """The plugins of one build.

    Attributes:
        plugins: by name, sorted.
        chosen: names that the recipe asked for, directly or through `requires`.
        notes: what was added or replaced without being named.
        warnings: soft conflicts, with the measured reason.
        settings: every setting with its typed value.
    """

    plugins: dict[str, Loaded]
    chosen: tuple[str, ...]
    remove: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    settings: SettingsView = field(default_factory=lambda: SettingsView({}, ()))


def select(recipe: Recipe, registry: Registry) -> Selection:
    """Resolve a recipe's names.

    Raises:
        PgolfError: PG102 for an unknown name, PG203 for a slot filled twice, PG106 for a hard conflict, PG003 for a bad
            setting; several findings are reported together.
    """
    notes: list[str] = []
    chosen: dict[str, Loaded] = {}
    for names in recipe.layers:
        chosen = _add_layer(chosen, names, recipe, registry, notes)
    for name in recipe.remove:
        registry.get(name, f"{recipe.where}: remove")
    selected = {**chosen, **_baseline(chosen, recipe, registry, notes)}
    selected = dict(sorted(selected.items()))
    _check_required(selected, recipe)
    warnings = _check_conflicts(selected, recipe)
    selection = Selection(selected, tuple(sorted(chosen)), tuple(sorted(set(recipe.remove))), notes, warnings)
    selection.settings = SettingsView(_settings(recipe, registry, selected), selected)
    check_sizes(selection.settings, f"{recipe.where}: settings")
    return selection


def _add_layer(
    chosen: dict[str, Loaded], names: Sequence[str], recipe: Recipe, registry: Registry, notes: list[str]
) -> dict[str, Loaded]:
    """One more layer of names: what it requires comes along, and its slots win over earlier layers."""
    layer = _with_required(names, recipe, registry, notes, known=chosen)
    _check_slots(layer, recipe)
    filled = {slot: name for name, loaded in layer.items() for slot in loaded.slots}
    kept = {}
    for name, loaded in chosen.items():
        winner = next((filled[slot] for slot in loaded.slots if slot in filled and filled[slot] != name), None)
        if winner or any(name in other.plugin.replaces for other in layer.values()):
            notes.append(f"{winner or 'a later plugin'} takes the place of {name} from the base recipe")
        else:
            kept[name] = loaded
    return {**kept, **layer}


def _with_required(
    names: Sequence[str], recipe: Recipe, registry: Registry, notes: list[str], known: dict[str, Loaded]
) -> dict[str, Loaded]:
    layer: dict[str, Loaded] = {}
    waiting = [(name, "") for name in names if name not in recipe.remove]
    while waiting:
        name, wanted_by = waiting.pop(0)
        if name in layer or (wanted_by and name in known):
            continue
        loaded = registry.get(name, f"{recipe.where}: plugins" if not wanted_by else f"{wanted_by}: requires")
        if name in recipe.remove:
            raise _removed(name, wanted_by, recipe)
        layer[name] = loaded
        if wanted_by and name not in BASELINE:
            notes.append(f"{wanted_by} brings {name}")
        waiting += [(_either(other, {*names, *known, *layer}, recipe), name) for other in loaded.plugin.requires]
    return layer


def _either(required: str, selected: set[str], recipe: Recipe) -> str:
    """The name that is meant: of several the first that is selected, else the first that is not removed."""
    options = required.split("|")
    options = [name for name in options if name not in recipe.remove] or options
    return next((name for name in options if name in selected), options[0])


def _removed(name: str, wanted_by: str, recipe: Recipe) -> PgolfError:
    text = f"{wanted_by} requires {name}, which the recipe removes"
    return PgolfError("PG106", text, f"{recipe.where}: remove", f"keep {name}, or leave {wanted_by} out")


def _check_slots(layer: dict[str, Loaded], recipe: Recipe) -> None:
    by_slot: dict[str, list[str]] = {}
    for name, loaded in layer.items():
        for slot in loaded.slots:
            by_slot.setdefault(slot, []).append(name)
    raise_all(
        [
            PgolfError(
                "PG203",
                f"slot {slot!r} has {len(names)} providers: {' and '.join(repr(name) for name in sorted(names))}",
                f"{recipe.where}: plugins",
                "keep one of them",
            )
            for slot, names in sorted(by_slot.items())
            if len(names) > 1
        ]
    )


def _baseline(chosen: dict[str, Loaded], recipe: Recipe, registry: Registry, notes: list[str]) -> dict[str, Loaded]:
    """The baseline's plugins that nothing chosen replaces, and what they require."""
    filled = {slot for loaded in chosen.values() for slot in loaded.slots}
    replaced = {name for loaded in chosen.values() for name in loaded.plugin.replaces}
    found: dict[str, Loaded] = {}
    for name in BASELINE:
        loaded = registry.get(name, "the baseline")
        if name in recipe.remove or name in replaced or name in chosen or filled & set(loaded.slots):
            continue
        found[name] = loaded
        for other in loaded.plugin.requires:
            if other in recipe.remove:
                raise _removed(other, name, recipe)
            if other not in chosen:
                found[other] = registry.get(other, f"{name}: requires")
    return found


def _check_required(selected: dict[str, Loaded], recipe: Recipe) -> None:
    """A later layer may have taken the place of something that a plugin of an earlier one requires."""
    raise_all(
        [
            PgolfError(
                "PG106",
                f"{name} requires {other.replace('|', ' or ')}, whose place another plugin takes",
                f"{recipe.where}: plugins",
                f"leave {name} or that plugin out",
            )
            for name, loaded in selected.items()
            for other in loaded.plugin.requires
            if selected.keys().isdisjoint(other.split("|"))
        ]
    )


def _check_conflicts(selected: dict[str, Loaded], recipe: Recipe) -> list[str]:
    errors, warnings = [], []
    for name, loaded in selected.items():
        for conflict in loaded.plugin.conflicts:
            if conflict.name not in selected:
                continue
            text = f"{name} and {conflict.name}: {conflict.reason}"
            if conflict.hard:
                errors.append(PgolfError("PG106", text, f"{recipe.where}: plugins", "leave one of them out"))
            else:
                warnings.append(text)
    raise_all(errors)
    return warnings


def _settings(recipe: Recipe, registry: Registry, selected: dict[str, Loaded]) -> dict[str, Any]:
    """Typed values of the engine's and the selected plugins' settings; all problems are reported together."""
    where = f"{recipe.where}: settings"
    known = {setting.name: setting for setting in CORE_SETTINGS}
    owners: dict[str, str] = {}
    errors = []
    for name, loaded in selected.items():
        for setting in loaded.plugin.settings:
            owner = owners.setdefault(setting.name, name)
            clash = owner != name and known[setting.name].default != setting.default
            if clash and setting.name not in recipe.settings:
                errors.append(_two_defaults(owner, known[setting.name], name, setting, where))
            known[setting.name] = setting
    values = {name: setting.default for name, setting in known.items()}
    for name, value in recipe.settings.items():
        try:
            if name not in known:
                raise unknown_setting(name, known, _owner(name, registry), where)
            values[name] = parse_value(known[name], value, where)
        except PgolfError as error:
            errors.append(error)
    raise_all(errors)
    return values


def _two_defaults(owner: str, one: Setting, name: str, other: Setting, where: str) -> PgolfError:
    text = f"{owner} and {name} give {one.name} the defaults {one.default!r} and {other.default!r}"
    return PgolfError("PG003", text, where, f"say which: --set {one.name}={one.default}")


def _owner(name: str, registry: Registry) -> str:
    """A plugin that declares a setting, or ""."""
    for plugin, loaded in sorted(registry.plugins.items()):
        if any(setting.name == name for setting in loaded.plugin.settings):
            return plugin
    return ""
