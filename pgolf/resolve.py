"""Recipe -> entry module: every hook is called once, and what comes back is checked before anything is written."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pgolf import hookspecs
from pgolf.calibration import calibrated_classes, check_calibration, check_used
from pgolf.component import Component, Group, Param, Phase, PlanFacts
from pgolf.entry import Call, write_entry
from pgolf.errors import PgolfError, raise_all
from pgolf.manager import Loaded, Registry, chain
from pgolf.recipe import Recipe
from pgolf.select import Selection, select
from pgolf.settings import ENGINE_SETTINGS

# Compiled variants besides training: plain scoring and the probe's length.
SCORING_VARIANTS = 2


@dataclass
class Resolved:
    """One build's input to the bundler.

    Attributes:
        entry: source of the entry module.
        params: plugin name -> records, for reports.
    """

    recipe: Recipe
    selection: Selection
    entry: str
    plan: PlanFacts
    params: list[tuple[str, Param]] = field(default_factory=list)

    def find_source(self, module: str) -> Path | None:
        """Source file of a module that is bundled, None for one that is imported at run time."""
        return internal_source(module, self.selection)

    def plugin_of(self, module: str) -> str:
        """Name of the plugin a bundled module belongs to, "runtime" for the engine's own."""
        for name, loaded in self.selection.plugins.items():
            if loaded.module.__name__ == module:
                return name
        # A helper module beside a third party's plugin counts as the plugin's.
        root = module.split(".")[0]
        for name, loaded in self.selection.plugins.items():
            if loaded.module.__name__.split(".")[0] == root != "pgolf_plugins":
                return name
        return "runtime"


def resolve(recipe: Recipe, registry: Registry) -> Resolved:
    """Select plugins, call their hooks and write the entry module.

    Raises:
        PgolfError: from selection, PG105 for a hook's wrong result, PG204 for an empty slot, PG205 to PG207 for
            parameters that lack a group, a recipe or a name of their own, PG208 and PG209 for phases and plans.
    """
    selection = select(recipe, registry)
    hooks = _Hooks(selection)
    phases = hooks.records("phases", Phase)
    plan = _plan_facts(hooks, [phase for _, phase in phases])
    params = _declared(hooks, plan)
    groups = hooks.records("groups", Group)
    parts = {name: hooks.component(name, hookspecs.HOOKS[name][1]) for name in ("rounding", "clip_taps")}
    hooks.available |= parts
    recipes = hooks.merged("tensor_recipes")
    _check_params(params, groups, recipes)
    program = {
        name: hooks.number(name) if shape == "number" else hooks.component(name, shape)
        for name, (_, shape) in hookspecs.HOOKS.items()
        if shape not in ("records", "by name")
        and name not in ("parameter_layout", "initializer", "text_transform", *parts)
    }
    used_quants, used_groups = {param.quant for _, param in params}, {param.group for _, param in params}
    if program["quantization_plan"] is None:
        recipes = {key: value for key, value in recipes.items() if key in used_quants}
    program |= {
        "batch_fields": tuple(sorted(hooks.merged("batch_fields").items())),
        "groups": tuple(
            _record_call(group)
            for _, group in sorted(groups, key=lambda pair: pair[1].name)
            if group.name in used_groups
        ),
        "phases": tuple(_record_call(phase._replace(plugin=plugin)) for plugin, phase in phases),
        "plugins": tuple(selection.plugins),
        "tensor_recipes": recipes,
        **_quantization(selection, program, recipes, parts),
    }
    engine = {setting.name: selection.settings.as_dict()[setting.name] for setting in ENGINE_SETTINGS}
    initializer = hooks.component("initializer", "slot")
    calls = [_param_call(plugin, param, initializer) for plugin, param in params]
    return Resolved(recipe, selection, write_entry(recipe.name, engine, calls, program), plan, params)


def _quantization(
    selection: Selection, program: dict[str, Any], recipes: dict[str, Component], parts: dict[str, Any]
) -> dict[str, Any]:
    """What the program knows of statistics and the time for them, once it is clear that they can be had."""
    calibrated = calibrated_classes(recipes)
    check_used([part for part in (parts["rounding"], *parts["clip_taps"]) if part is not None], recipes)
    used = bool(calibrated or program["quantization_plan"] or program["corrections"])
    budget = selection.settings.max_wallclock_seconds
    check_calibration(program["calibration_source"], calibrated, program["reserve"], budget, used)
    return {"calibrated": calibrated, "reserve": program["reserve"] or None}


class _Hooks:
    """Calls hook implementations of the selected plugins, in order, and checks what they return."""

    def __init__(self, selection: Selection):
        self.selection = selection
        self.available: dict[str, Any] = {"settings": selection.settings, "plan": PlanFacts(0, 0)}

    def call(self, hook: str) -> list[tuple[Loaded, Any]]:
        """(plugin, result) of every implementation, without None results."""
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
        except Exception as error:  # a plugin's own defect becomes one line that names it
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            raise PgolfError("PG105", f"{hook} of {loaded.plugin.name} failed: {text}", str(loaded.path)) from error

    def component(self, hook: str, shape: str) -> Any:
        """The one component of a slot, the tuple of a tap, None for an empty optional slot."""
        found = self.call(hook)
        for loaded, result in found:
            if not isinstance(result, Component):
                raise _wrong_result(loaded, hook, result, "a Component")
        if shape == "tap":
            return tuple(result for _, result in found)
        if len(found) > 1:
            names = " and ".join(repr(loaded.plugin.name) for loaded, _ in found)
            raise PgolfError("PG203", f"slot {hook!r} has {len(found)} providers: {names}", hint="keep one of them")
        if not found and shape == "slot":
            raise PgolfError("PG204", f"slot {hook!r} has no provider", hint="do not remove the baseline's provider")
        return found[0][1] if found else None

    def records(self, hook: str, wanted: type) -> list[tuple[str, Any]]:
        """(plugin, record) of a hook that returns lists."""
        found = []
        for loaded, result in self.call(hook):
            if not isinstance(result, list) or not all(isinstance(item, wanted) for item in result):
                raise _wrong_result(loaded, hook, result, f"a list of {wanted.__name__}")
            found += [(loaded.plugin.name, item) for item in result]
        return found

    def number(self, hook: str) -> float:
        """The sum of what all providers ask for."""
        found = self.call(hook)
        for loaded, result in found:
            if isinstance(result, bool) or not isinstance(result, (int, float)) or not 0 <= result < math.inf:
                raise _wrong_result(loaded, hook, result, "a finite number that is not negative")
        return float(sum(result for _, result in found))

    def merged(self, hook: str) -> dict[str, Component]:
        """One dict from all providers; a chosen plugin's keys win over the baseline's, two chosen ones collide."""
        merged: dict[str, tuple[str, Component]] = {}
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
        return {key: value for key, (_, value) in merged.items()}


def _wrong_result(loaded: Loaded, hook: str, result: Any, wanted: str) -> PgolfError:
    return PgolfError(
        "PG105",
        f"{hook} of {loaded.plugin.name} returned {result!r:.80}, wanted {wanted}",
        str(loaded.path),
        "see docs/hooks.md",
    )


def _plan_facts(hooks: _Hooks, phases: Sequence[Phase]) -> PlanFacts:
    """Evaluate the layer plan for every set of phases, and check it and the number of compiled variants."""
    names = [phase.name for phase in phases]
    variants = [variant for size in range(len(names) + 1) for variant in itertools.combinations(names, size)]
    limit = hooks.selection.settings.recompile_limit
    if len(variants) + SCORING_VARIANTS > limit:
        raise PgolfError(
            "PG208",
            f"the phases {', '.join(names)} need {len(variants) + SCORING_VARIANTS} compiled variants, the limit is {limit}",
            hint="select fewer plugins with phases, or --set recompile_limit=32 and accept the compile time",
        )
    component = hooks.component("layer_plan", "slot")
    plan = component.target(**component.arguments)
    layers = hooks.selection.settings.num_layers
    plans: dict[tuple[str, ...], tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for variant in variants:
        encoder, decoder = plan(variant)
        plans[variant] = (tuple(encoder), tuple(decoder))
    for variant, (encoder, decoder) in plans.items():
        outside = [layer for layer in (*encoder, *decoder) if not 0 <= layer < layers]
        missing = sorted(set(range(layers)) - {*encoder, *decoder})
        if outside or missing or len(encoder) > len(decoder):
            problem = (
                f"uses layer {outside[0]} of {layers}"
                if outside
                else f"never runs layer {missing[0]}"
                if missing
                else ""
            )
            problem = problem or f"has {len(encoder)} encoder steps and {len(decoder)} decoder steps"
            where = f"phases {', '.join(variant) or 'none'}"
            raise PgolfError(
                "PG209", f"the layer plan {component!r} {problem}", where, "check num_layers and the loop's settings"
            )
    facts = PlanFacts(
        num_steps=max(len(encoder) + len(decoder) for encoder, decoder in plans.values()),
        num_skips=max(min(len(encoder), len(decoder)) for encoder, decoder in plans.values()),
        variants=plans,
    )
    hooks.available["plan"] = facts
    return facts


def _declared(hooks: _Hooks, plan: PlanFacts) -> list[tuple[str, Param]]:
    """Layout and plugin tensors, in a fixed order: layout first, then by plugin name."""
    found = hooks.records("parameter_layout", Param)
    if not found:
        raise PgolfError(
            "PG204", "slot 'parameter_layout' has no provider", hint="do not remove the baseline's provider"
        )
    return found + sorted(hooks.records("parameters", Param), key=lambda pair: pair[0])


def _check_params(
    params: list[tuple[str, Param]], groups: list[tuple[str, Any]], recipes: dict[str, Component]
) -> None:
    """Every tensor has one name, one optimizer group and one quantization recipe."""
    known = {group.name for _, group in groups} | {"matrix"}
    findings: list[PgolfError] = []
    owners: dict[str, str] = {}
    for plugin, param in params:
        where = f"{plugin}: parameters"
        for name in param.stored_names():
            if name in owners:
                text = f"{plugin} and {owners[name]} both declare the parameter {name}"
                findings.append(PgolfError("PG207", text, where, "leave one of the plugins out"))
            owners[name] = plugin
        if param.group not in known:
            text = f"{param.name} has the optimizer group {param.group!r}; there are {', '.join(sorted(known))}"
            findings.append(
                PgolfError("PG205", text, where, "give it one of these, or declare the group with `groups`")
            )
        if param.quant not in recipes:
            text = f"{param.name} has the quantization class {param.quant!r}; recipes exist for {', '.join(sorted(recipes))}"
            findings.append(
                PgolfError("PG206", text, where, "give it one of these, or add a recipe with `tensor_recipes`")
            )
        if any(size < 1 for size in param.shape):
            findings.append(PgolfError("PG105", f"{param.name} has the shape {param.shape}", where, "check the sizes"))
    raise_all(findings)


def _param_call(plugin: str, param: Param, initializer: Component) -> Call:
    """A tensor's record with every start filled in, and the plugin that declared it."""
    init: Any = param.init or initializer
    if isinstance(param.init, tuple):
        init = tuple(part or initializer for part in param.init)
    return _record_call(param._replace(init=init, plugin=plugin))


def _record_call(record: Param | Group | Phase) -> Call:
    """The call that makes a record; fields that hold their defaults are left out."""
    defaults = record._field_defaults
    values = record._asdict()
    return Call(
        type(record).__name__,
        {key: value for key, value in values.items() if key not in defaults or value != defaults[key]},
    )


def internal_source(module: str, selection: Selection) -> Path | None:
    """Source of engine and plugin modules: these are bundled, everything else is imported at run time."""
    roots = {"pgolf_plugins"} | {loaded.module.__name__.split(".")[0] for loaded in selection.plugins.values()}
    if not (module.startswith("pgolf.runtime.") or module.split(".")[0] in roots):
        return None
    found = _module_file(module)
    if found is None:
        raise PgolfError("PG202", f"the module {module} has no source file", module, "bundle pure Python only")
    return found


def _module_file(module: str) -> Path | None:
    import importlib.util

    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def load_entry(entry: str, name: str = "pgolf_entry") -> ModuleType:
    """Execute an entry module under `name` without starting training; for tests and tools."""
    import sys

    module = ModuleType(name)
    module.__dict__["__file__"] = f"<{name}>"
    sys.modules[name] = module
    exec(compile(entry, f"<{name}>", "exec"), module.__dict__)
    return module


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """The same recipe with another default seed."""
    return replace(recipe, settings={**recipe.settings, "seed": seed})
