"""sweep.toml: read and checked before anything is started."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError
from pgolf.sweep.space import PLUGINS, Axis, Choices, Range, Space, Value, of_plugins, recipe_of

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe

METHODS = ("grid", "random", "optuna")
EXAMPLE = "see docs/sweeps.md for an example"
KEYS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "": {"name": str, "recipe": str, "settings": dict, "plugins": dict, "search": dict, "train": dict, "stop": dict},
    "search": {"method": str, "trials": int, "seed": int},
    "train": {
        "smoke": bool,
        "seeds": list,
        "nproc": int,
        "cpus": int,
        "gpus": int,
        "iterations": int,
        "max_wallclock_seconds": (int, float),
        "forecast": bool,
    },
    "stop": {"first": (int, float), "factor": (int, float), "clock": str, "every": int},
}
RANGE_KEYS = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Stop:
    """Asynchronous successive halving (ASHA, Li et al. 2018): of the trials that come to a mark, the best 1/factor go on.

    Attributes:
        first: the first mark on the clock of training; the next are `factor` times as far.
        clock: "seconds" of training, validation not counted, or "steps".
        every: steps between validations.
    """

    first: float
    factor: float
    clock: str
    every: int


@dataclass(frozen=True)
class Spec:
    """A sweep.

    Attributes:
        recipe: of which every trial is a variant.
        space: what is searched.
        trials: how many points; for a grid, at most.
        search_seed: of the random points.
        seeds: of training; a trial's score is the mean.
        nproc, cpus, gpus: processes of one trial, and what it takes of a machine; None is as many as it has use for.
        forecast: a trial whose bytes are forecast to be over the cap is not trained.
    """

    name: str
    recipe: Recipe
    space: Space
    method: str
    trials: int
    search_seed: int
    smoke: bool
    seeds: tuple[int, ...]
    nproc: int
    cpus: int | None
    gpus: int | None
    iterations: int | None
    max_wallclock_seconds: float | None
    forecast: bool
    stop: Stop | None
    where: str


def load_spec(path: Path) -> Spec:
    """Read a file.

    Raises:
        PgolfError: PG001 for one that cannot be read, PG002 for anything in it that is not understood.
    """
    from pgolf.recipe import Recipe, load_recipe

    where = str(path)
    document = read_toml(path)
    tables = {name: table(document, name, where) for name in KEYS}
    settings, plugins = document.get("settings", {}), document.get("plugins", {})
    if not settings and not plugins:
        raise PgolfError("PG002", "the sweep searches nothing: it has neither [settings] nor [plugins]", where, EXAMPLE)
    base = load_recipe(path.parent / document["recipe"]) if "recipe" in document else Recipe(name="baseline")
    space = read_space(settings, plugins, where)
    search, train = tables["search"], tables["train"]
    method = one_of(search.get("method", "grid"), METHODS, f"{where}: search.method")
    if "trials" not in search and method != "grid":
        text = f"a {method} search does not say how many trials"
        raise PgolfError("PG002", text, f"{where}: search", "write trials = 40")
    seeds = train.get("seeds") or [1337]
    if not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one < 2**63 for one in seeds):
        raise PgolfError("PG002", f"seeds are {seeds!r}, wanted whole numbers", f"{where}: train.seeds")
    return Spec(
        name=document.get("name", path.stem),
        recipe=base,
        space=space,
        method=method,
        trials=positive(search, "trials", where) or 10**9,
        search_seed=search.get("seed", 1),
        smoke=train.get("smoke", False),
        seeds=tuple(dict.fromkeys(seeds)),
        nproc=one_of(train.get("nproc", 1), (1, 2, 4, 8), f"{where}: train.nproc"),
        cpus=positive(train, "cpus", where),
        gpus=positive(train, "gpus", where, least=0),
        iterations=positive(train, "iterations", where),
        max_wallclock_seconds=positive(train, "max_wallclock_seconds", where),
        forecast=train.get("forecast", False),
        stop=read_stop(tables["stop"], where) if "stop" in document else None,
        where=where,
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The document; PG001 or PG002 for what is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PgolfError("PG001", f"cannot read the sweep: {reason}", str(path), "give a sweep.toml") from None
    except tomllib.TOMLDecodeError as error:
        raise PgolfError("PG002", f"not valid TOML: {error}", str(path), EXAMPLE) from None


def table(document: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """A table whose keys are known and whose values have the right type; "" is the document itself."""
    found = document.get(name, {}) if name else document
    place = f"{where}: {name}" if name else where
    if not isinstance(found, dict):
        raise PgolfError("PG002", f"{name} is {found!r}, wanted a table", where, EXAMPLE)
    for key, value in found.items():
        if key not in KEYS[name]:
            close = difflib.get_close_matches(key, KEYS[name], 1)
            hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(KEYS[name])}"
            raise PgolfError("PG002", f"the sweep has an unknown key {key!r}", place, hint)
        wanted = KEYS[name][key]
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
            raise PgolfError("PG002", f"{key} is {value!r}, wanted {names.get(kinds[-1], 'a table')}", place, EXAMPLE)
    return found


def positive(found: Mapping[str, Any], key: str, where: str, least: int = 1) -> Any:
    """A number that is at least `least`, and for fractions above 0; None where there is none."""
    value = found.get(key)
    if value is not None and (not math.isfinite(value) or value < least * isinstance(value, int) or value < 0):
        raise PgolfError("PG002", f"{key} is {value!r}, wanted at least {least}", where)
    return value


def one_of(value: Any, known: tuple[Any, ...], where: str) -> Any:
    """The value, if it is known."""
    if value not in known:
        raise PgolfError("PG002", f"{value!r} is none of {', '.join(map(str, known))}", where)
    return value


def read_stop(found: Mapping[str, Any], where: str) -> Stop:
    """When trials are stopped early."""
    place = f"{where}: stop"
    if "first" not in found or "every" not in found:
        hint = "write first = 60 (seconds of training) and every = 100 (steps between validations)"
        raise PgolfError("PG002", "[stop] needs first and every", place, hint)
    clock = one_of(found.get("clock", "seconds"), ("seconds", "steps"), f"{where}: stop.clock")
    factor = float(found.get("factor", 3))
    if not (found["first"] > 0 and found["every"] > 0 and 1 < factor < 1000):
        raise PgolfError("PG002", "wanted first and every above 0, and factor above 1", place)
    return Stop(float(found["first"]), factor, clock, found["every"])


def read_space(settings: Mapping[str, Any], plugins: Mapping[str, Any], where: str) -> Space:
    """The axes of both tables."""
    axes: list[Axis] = []
    fixed: dict[str, Value] = {}
    for table_name, found in (("settings", settings), ("plugins", plugins)):
        for key, value in found.items():
            name = key.lower() if table_name == "settings" else PLUGINS + key
            axis = read_axis(name, value, f"{where}: {table_name}.{key}", table_name == "plugins")
            if isinstance(axis, (Choices, Range)):
                axes.append(axis)
            else:
                fixed[name] = axis
    if not axes:
        raise PgolfError("PG002", "the sweep searches nothing: every value is fixed", where, EXAMPLE)
    return Space(tuple(axes), fixed)


def read_axis(name: str, value: Any, where: str, plugins: bool) -> Axis | Value:
    """An axis for a list or a range, and a single value as it is."""
    if isinstance(value, dict) and not plugins:
        return read_range(name, value, where)
    values = value if isinstance(value, list) else [value]
    kinds: tuple[type, ...] = (str,) if plugins else (str, int, float, bool)
    if not values or not all(isinstance(one, kinds) for one in values):
        wanted = 'names such as "swa", "a+b", "-c" or ""' if plugins else "texts, numbers, true or false"
        raise PgolfError("PG002", f"{value!r}: wanted {wanted}", where, EXAMPLE)
    if any(isinstance(one, float) and not math.isfinite(one) for one in values):
        raise PgolfError("PG002", f"{value!r}: wanted finite numbers", where)
    seen = {(type(one), one): one for one in values}
    if len(seen) < len(values):
        raise PgolfError("PG002", f"{value!r} has a value twice", where)
    return Choices(name, tuple(values)) if isinstance(value, list) else value  # type: ignore[no-any-return]


def read_range(name: str, found: Mapping[str, Any], where: str) -> Range:
    """{ low, high, step, log }."""
    numbers = [found.get(key, 0) for key in ("low", "high", "step")]
    unknown = [key for key in found if key not in RANGE_KEYS]
    right = not unknown and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in numbers)
    if not right or "low" not in found or "high" not in found or not isinstance(found.get("log", False), bool):
        hint = "write { low = 0.01, high = 0.1, log = true } or { low = 4, high = 12, step = 2 }"
        raise PgolfError("PG002", f"{dict(found)!r} is no range", where, hint)
    low, high, step = numbers
    log = found.get("log", False)
    if not all(map(math.isfinite, numbers)) or not low < high or step < 0 or step > high - low or (log and low <= 0):
        raise PgolfError("PG002", f"a range from {low} to {high} with step {step} is empty", where)
    if log and step:
        raise PgolfError("PG002", "a range has either step or log", where)
    return Range(name, low, high, all(isinstance(one, int) for one in numbers), log, step)


def check_space(spec: Spec, registry: Registry) -> None:
    """Names and types, before the first trial; what plugins exclude each other is found by the trials themselves.

    Raises:
        PgolfError: PG102 for a plugin that does not exist, PG003 for a setting that nothing has or of the wrong type.
    """
    from pgolf.select import select
    from pgolf.settings import CORE_SETTINGS

    known = of_plugins(registry) | {setting.name for setting in CORE_SETTINGS}
    values: list[tuple[str, Value]] = [*spec.space.fixed.items()]
    for axis in spec.space.axes:
        ends = axis.values if isinstance(axis, Choices) else (axis.low, axis.high)
        values += [(axis.name, int(one) if isinstance(axis, Range) and axis.whole else one) for one in ends]
    for name, value in values:
        if name.startswith(PLUGINS):
            for word in str(value).split("+"):
                if word.strip("-"):
                    registry.get(word.removeprefix("-"), f"{spec.where}: {name}")
        elif name not in known:
            close = difflib.get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {close[0]}?" if close else "pgolf plugins show NAME lists settings"
            raise PgolfError("PG003", f"no plugin has a setting {name!r}", f"{spec.where}: settings", hint)
    select(spec.recipe, registry)
    first = spec.space.point([axis.values[0] if isinstance(axis, Choices) else axis.low for axis in spec.space.axes])
    for name, value in values:
        try:
            recipe, _ = recipe_of(spec.recipe, {**first, name: value}, registry)
            select(recipe, registry)
        except PgolfError as error:
            if error.code == "PG003":
                raise PgolfError("PG003", error.message, f"{spec.where}: {name} = {value!r}", error.hint) from None
