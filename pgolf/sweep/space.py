"""What a sweep searches: axes of settings and plugins, and how one value of each is chosen.

    [settings]
    num_layers = [9, 10, 11]                            choices
    matrix_lr = { low = 0.01, high = 0.1, log = true }  a range; with `step` also for a grid
    warmup_steps = 5                                    one value, for every trial

    [plugins]
    average = ["", "swa", "ema"]                        none, or one of these
    more = ["", "xsa+pko", "-rope"]                     several together, or one of the recipe left out

A point is {axis: value}; axes of plugins are called "plugins.NAME".
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError

if TYPE_CHECKING:
    from pgolf.manager import Registry
    from pgolf.recipe import Recipe

MOST_POINTS = 100_000
PLUGINS = "plugins."
Value = str | int | float | bool
Point = dict[str, Value]


@dataclass(frozen=True)
class Choices:
    """One of some values."""

    name: str
    values: tuple[Value, ...]

    def grid(self, where: str) -> Sequence[Value]:
        """All of them."""
        return self.values

    def draw(self, chance: random.Random) -> Value:
        """Each as likely as another."""
        return chance.choice(self.values)

    def suggest(self, trial: Any) -> Value:
        """One that an Optuna trial picks; it picks places, since its choices may not be mixed or equal (1 and true)."""
        return self.values[int(trial.suggest_categorical(self.name, tuple(range(len(self.values)))))]

    def distribution(self) -> Any:
        """What Optuna calls the same."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(tuple(range(len(self.values))))

    def internal(self, value: Value) -> Any:
        """The place of a value, for Optuna; ValueError for one that is no choice any more."""
        places = [place for place, one in enumerate(self.values) if one == value and type(one) is type(value)]
        if not places:
            raise ValueError(value)
        return places[0]


@dataclass(frozen=True)
class Range:
    """A number between two, both included.

    Attributes:
        whole: whole numbers alone.
        log: equal factors are equally likely, not equal differences.
        step: distance of the values, 0 for none.
    """

    name: str
    low: float
    high: float
    whole: bool
    log: bool = False
    step: float = 0

    def grid(self, where: str) -> Sequence[Value]:
        """Every step; PG002 without one."""
        step = self.step or (1 if self.whole and not self.log else 0)
        if not step:
            text = f"the range of {self.name} has no step, and a grid needs one"
            raise PgolfError("PG002", text, where, "give step = ..., or a list, or search at random")
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        if count > MOST_POINTS:
            raise PgolfError("PG002", f"the range of {self.name} has {count:,} steps", where, "give a larger step")
        return [self._typed(self.low + step * number) for number in range(count)]

    def draw(self, chance: random.Random) -> Value:
        """Uniform, or uniform in the logarithm."""
        if self.step:
            return self._typed(self.low + self.step * chance.randrange(self._steps() + 1))
        if self.log:
            return self._typed(math.exp(chance.uniform(math.log(self.low), math.log(self.high))))
        return chance.randint(int(self.low), int(self.high)) if self.whole else chance.uniform(self.low, self.high)

    def suggest(self, trial: Any) -> Value:
        """One that an Optuna trial picks."""
        if self.whole:
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return int(trial.suggest_int(self.name, low, high, step=1 if self.log else step, log=self.log))
        return float(trial.suggest_float(self.name, self.low, self.high, step=self.step or None, log=self.log))

    def distribution(self) -> Any:
        """What Optuna calls the same."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            step = 1 if self.log else int(self.step or 1)
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=step)
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step or None)

    def internal(self, value: Value) -> Any:
        """The number itself; ValueError for one that is outside."""
        if isinstance(value, (bool, str)) or not self.low <= value <= self.high:
            raise ValueError(value)
        return value

    def _steps(self) -> int:
        return math.floor((self.high - self.low) / self.step + 1e-9)

    def _typed(self, value: float) -> Value:
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else float(f"{value:.12g}")


Axis = Choices | Range


@dataclass(frozen=True)
class Space:
    """All axes, in the order of the file; `fixed` is the same in every point."""

    axes: tuple[Axis, ...]
    fixed: Mapping[str, Value]

    def grid(self, where: str) -> Iterator[Point]:
        """Every combination, the last axis changing fastest.

        Raises:
            PgolfError: PG002 for a range without step, or too many points.
        """
        values = [axis.grid(where) for axis in self.axes]
        if (total := math.prod(map(len, values))) > MOST_POINTS:
            text = f"the grid has {total:,} points, wanted at most {MOST_POINTS:,}"
            raise PgolfError("PG002", text, where, "search at random, or with fewer values")
        return (self.point(one) for one in itertools.product(*values))

    def draw(self, chance: random.Random) -> Point:
        """One point at random."""
        return self.point([axis.draw(chance) for axis in self.axes])

    def point(self, values: Sequence[Value]) -> Point:
        """Values in the order of the axes, and what is fixed."""
        return {**self.fixed, **{axis.name: value for axis, value in zip(self.axes, values, strict=True)}}


def recipe_of(base: Recipe, point: Point, registry: Registry) -> tuple[Recipe, Point]:
    """The recipe of a point, and the point without settings that nothing in it has: points that differ only there are one.

    Raises:
        PgolfError: for plugins and settings that no recipe can have together.
    """
    from pgolf.select import select

    added: list[str] = []
    dropped: list[str] = []
    for name, value in point.items():
        if name.startswith(PLUGINS):
            words = [word for word in str(value).split("+") if word]
            dropped += [word[1:] for word in words if word.startswith("-")]
            added += [word for word in words if not word.startswith("-")]
    layers = tuple(tuple(name for name in layer if name not in dropped) for layer in base.layers)
    recipe = replace(base, layers=layers, remove=(*base.remove, *dropped)).override(added)
    settings = {name: value for name, value in point.items() if not name.startswith(PLUGINS)}
    bare = replace(recipe, settings={}, fixed=frozenset())
    known = select(bare, registry).settings.as_dict()
    own = {name: value for name, value in recipe.settings.items() if name in known or name not in of_plugins(registry)}
    swept = {name: value for name, value in settings.items() if name in known}
    used = {name: value for name, value in point.items() if name.startswith(PLUGINS) or name in known}
    return replace(recipe, settings=own).override((), swept), used


def of_plugins(registry: Registry) -> frozenset[str]:
    """Names of the settings that plugins have."""
    found: set[str] = set()
    for one in registry.plugins.values():
        found.update(setting.name for setting in one.plugin.settings)
    return frozenset(found)


def text_of(point: Point) -> str:
    """One text for one point, whatever the order of its names."""
    return json.dumps(point, sort_keys=True)
