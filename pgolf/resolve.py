"""Recipe -> entry module: every hook is called once, and what comes back is checked before anything is written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pgolf.binding import check_component
from pgolf.calibration import (
    calibrated_classes,
    check_calibration,
    check_classes,
    check_fits,
    check_taps,
    check_used,
    grouped_classes,
)
from pgolf.component import Component, Param, Phase, PlanFacts
from pgolf.contracts.architecture import Initializer
from pgolf.contracts.optimizer import PhaseStart
from pgolf.entry import Call, Entry, record_call, write_entry
from pgolf.errors import PgolfError, raise_all
from pgolf.hookspecs import CONTRACTS, HOOKS
from pgolf.manager import Registry
from pgolf.providers import Provided, Providers, empty_slot
from pgolf.recipe import Recipe
from pgolf.runtime.progress import never_in_training
from pgolf.select import Selection, select
from pgolf.settings import ENGINE_SETTINGS

# Compiled variants besides training: plain scoring and the probe's length.
SCORING_VARIANTS = 2
# Hooks by name whose field of the program is a tuple of pairs.
PAIRS = ("batch_fields", "forward_scalars", "stream_fields")
# Hooks whose components are arguments of the hook `tensor_recipes`, not fields of the program.
RECIPE_PARTS = ("rounding", "clip_taps")


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
    providers = Providers(selection)
    phases = providers.records("phases")
    plan = _plan_facts(providers, [phase for _, phase in phases])
    params = _declared(providers)
    groups = providers.records("groups")
    chosen = _components(providers)
    _check_contracts(chosen, phases, params)
    _check_params(params, groups, set(chosen["tensor_recipes"]))
    used_quants, used_groups = {param.quant for _, param in params}, {param.group for _, param in params}
    if not chosen["quantization_plan"]:
        check_classes({key: plugin for key, (plugin, _) in chosen["tensor_recipes"].items()}, used_quants)
        chosen["tensor_recipes"] = {key: chosen["tensor_recipes"][key] for key in sorted(used_quants)}
    ((_, initializer),) = chosen.pop("initializer").values()
    chosen.pop("text_transform")  # it acts when data are prepared, not when the program runs
    parts = [chosen.pop(hook) for hook in RECIPE_PARTS]
    groups = sorted((pair for pair in groups if pair[1].name in used_groups), key=lambda pair: pair[1].name)
    program = {hook: _field(hook, found) for hook, found in chosen.items()} | {
        "checkpoints": None,
        "groups": tuple(record_call(group) for _, group in groups),
        "phases": tuple(record_call(_begun(phase)._replace(plugin=plugin)) for plugin, phase in phases),
        "phases_after_training": tuple(phase.name for _, phase in phases if phase.start is None),
        "skip_rows": plan.num_skips
        if any(len(order[0]) > plan.num_skips for order in plan.variants.values())
        else None,
        "fallbacks": tuple(_fallbacks(selection)),
        "plugins": tuple(selection.plugins),
    }
    program |= _quantization(
        providers, params, program, [component for part in parts for _, component in part.values()]
    )
    values = selection.settings.as_dict()
    entry = Entry(
        recipe.name,
        settings={setting.name: values[setting.name] for setting in ENGINE_SETTINGS},
        parameters=[_param_call(plugin, param, initializer) for plugin, param in params],
        program=program,
        preparations=list(_preparations(chosen)),
    )
    return Resolved(recipe, selection, write_entry(entry), plan, params)


def _fallbacks(selection: Selection) -> Iterator[str]:
    """Plugins that nobody asked for and that only have what chosen ones leave: of hooks by name, whose keys these take over."""
    hooks = itertools.chain.from_iterable(selection.plugins[name].hooks for name in selection.chosen)
    taken = {hook for hook in hooks if HOOKS[hook][1] == "by name"}
    for name, loaded in selection.plugins.items():
        if name not in selection.chosen and taken.issuperset(loaded.hooks):
            yield name


def _components(providers: Providers) -> dict[str, dict[Any, Provided]]:
    """hook -> place -> (plugin, component): keys of a dict, indices of a chain, None for a slot that is filled."""
    chosen: dict[str, dict[Any, Provided]] = {}
    first = (*RECIPE_PARTS, "tensor_recipes")
    for hook, (_, shape) in sorted(HOOKS.items(), key=lambda item: (*first, item[0]).index(item[0])):
        if shape == "by name":
            chosen[hook] = dict(sorted(providers.by_name(hook).items()))
        elif shape == "tap":
            chosen[hook] = dict(enumerate(providers.chain(hook)))
        elif shape in ("slot", "optional slot") and hook != "parameter_layout":
            chosen[hook] = dict(zip((None,), providers.slot(hook), strict=False))
        if hook in first:
            providers.available[hook] = _field(hook, chosen[hook])
    # In the order of hooks again, which is that of preparation.
    return {hook: chosen[hook] for hook in HOOKS if hook in chosen}


def _check_contracts(
    chosen: dict[str, dict[Any, Provided]], phases: list[tuple[str, Phase]], params: list[tuple[str, Param]]
) -> None:
    """Every component fits what the running program expects of it; all that do not are reported together."""
    held = [(hook, provided, CONTRACTS[hook]) for hook, found in chosen.items() for provided in found.values()]
    held += [("phases", (plugin, phase.start), PhaseStart) for plugin, phase in phases if phase.start is not None]
    for plugin, param in params:
        starts = param.init if isinstance(param.init, tuple) else (param.init,)
        held += [("parameters", (plugin, start), Initializer) for start in starts if start is not None]
    findings = [
        finding
        for hook, (plugin, component), contract in held
        for finding in check_component(hook, plugin, component, contract)
    ]
    raise_all(list({str(finding): finding for finding in findings}.values()))


def _field(hook: str, found: dict[Any, Provided]) -> Any:
    """What the field of the program holds."""
    components = {place: component for place, (_, component) in found.items()}
    if hook in PAIRS:
        return tuple(components.items())
    if HOOKS[hook][1] == "by name":
        return components
    return tuple(components.values()) if HOOKS[hook][1] == "tap" else components.get(None)


def _preparations(chosen: dict[str, dict[Any, Provided]]) -> Iterator[tuple[str, str]]:
    """(plugin, where in the program) of every component that has a method `prepare`."""
    for hook, found in chosen.items():
        for index, (place, (plugin, component)) in enumerate(found.items()):
            if isinstance(component.target, type) and hasattr(component.target, "prepare"):
                where = "" if place is None else f"[{place!r}]" if hook not in PAIRS else f"[{index}][1]"
                yield plugin, f"session.program.{hook}{where}"


def _quantization(
    providers: Providers, params: list[tuple[str, Param]], program: dict[str, Any], parts: list[Component]
) -> dict[str, Any]:
    """What the program knows of statistics and the time for them, once it is clear that they can be had."""
    recipes = program["tensor_recipes"]
    calibrated = calibrated_classes(recipes)
    check_taps(params, calibrated)
    check_used(parts, recipes)
    used = bool(calibrated or program["quantization_plan"] or program["corrections"])
    reserve, budget = providers.number("reserve"), providers.selection.settings.max_wallclock_seconds
    check_calibration(program["calibration_source"], calibrated, reserve, budget, used)
    check_fits(program["train_fits"], reserve, budget)
    return {"calibrated": calibrated, "grouped": grouped_classes(recipes), "reserve": reserve or None}


def _plan_facts(providers: Providers, phases: Sequence[Phase]) -> PlanFacts:
    """Evaluate the layer plan for every set of phases, and check it and the number of compiled variants."""
    names = [phase.name for phase in phases if phase.start is not None]
    after = tuple(phase.name for phase in phases if phase.start is None)
    trained = [variant for size in range(len(names) + 1) for variant in itertools.combinations(names, size)]
    limit = providers.selection.settings.recompile_limit
    if (needed := len(trained) + SCORING_VARIANTS + bool(after)) > limit:
        raise PgolfError(
            "PG208",
            f"the phases {', '.join((*names, *after))} need {needed} compiled variants, the limit is {limit}",
            hint="select fewer plugins with phases, or --set recompile_limit=32 and accept the compile time",
        )
    ((plugin, component),) = providers.slot("layer_plan")
    raise_all(check_component("layer_plan", plugin, component, CONTRACTS["layer_plan"]))
    plan = component.target(**component.arguments)
    layers = providers.selection.settings.num_layers
    blocks = max(layers, getattr(plan, "num_blocks", 0))
    plans: dict[tuple[str, ...], tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for variant in trained + [(*variant, *after) for variant in trained if after]:
        encoder, decoder = plan(variant)
        plans[variant] = (tuple(encoder), tuple(decoder))
    for variant, (encoder, decoder) in plans.items():
        outside = [layer for layer in (*encoder, *decoder) if not 0 <= layer < blocks]
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
        num_skips=max(min(map(len, plans[variant])) for variant in trained),
        num_blocks=blocks,
        variants=plans,
    )
    providers.available["plan"] = facts
    return facts


def _begun(phase: Phase) -> Phase:
    """A phase that the training loop may ask."""
    return phase if phase.start is not None else phase._replace(start=Component(never_in_training))


def _declared(providers: Providers) -> list[tuple[str, Param]]:
    """Layout and plugin tensors, in a fixed order: layout first, then by plugin name."""
    layout = providers.records("parameter_layout")
    if not layout:
        raise empty_slot("parameter_layout")
    dropped = {name: plugin for plugin, name in providers.records("dropped_matrices")}
    layers, blocks = providers.selection.settings.num_layers, providers.available["plan"].num_blocks
    declared = layout + sorted(providers.records("parameters"), key=lambda pair: pair[0])
    if blocks > layers:
        declared = [(owner, _in_every_block(param, layers, blocks)) for owner, param in declared]
    declared = [(owner, left) for owner, param in declared if (left := _stored(owner, param, dropped)) is not None]
    for name, plugin in dropped.items():
        text = f"{plugin} does without {name}, which no plugin stores"
        raise PgolfError("PG106", text, f"{plugin}: dropped_matrices", "leave one of the two out that drop it")
    return declared


def _in_every_block(param: Param, layers: int, blocks: int) -> Param:
    """A record with a tensor for every layer gets one for every block, unless these are matrices."""
    return param._replace(layers=blocks) if param.layers == layers and param.group != "matrix" else param


def _stored(owner: str, param: Param, dropped: dict[str, str]) -> Param | None:
    """What is left of a record, whose names are taken off `dropped`; None where that is nothing."""
    names = []
    for member in param.members:
        names += [member.format(layer) for layer in range(param.shape[0] // len(param.members))]
    names = names or param.stored_names()
    gone = {name: dropped.pop(name) for name in names if name in dropped}
    if len(gone) in (0, len(names)):
        return None if gone else param
    if not param.members and names[: len(gone)] == [*gone]:
        return param._replace(first=param.first + len(gone))
    name, plugin = next(iter(gone.items()))
    text = f"{plugin} does without {name}, which {owner} stores in {param.name}"
    raise PgolfError("PG106", text, f"{plugin}: dropped_matrices", "leave one of them out")


def _check_params(params: list[tuple[str, Param]], groups: list[tuple[str, Any]], recipes: set[str]) -> None:
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
    return record_call(param._replace(init=init, plugin=plugin))


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
