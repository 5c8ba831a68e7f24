"""The recipes that are compared: the base, and the base with something left out or added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pgolf.errors import PgolfError
from pgolf.manager import Registry
from pgolf.recipe import Recipe
from pgolf.select import select
from pgolf.submission import Made, make, smoke_recipe

BASE = "base"
EACH = "each"


@dataclass(frozen=True)
class Variant:
    """One side of a pair.

    Attributes:
        name: "base", "-swa", "+xsa"; also the folder's. Names of several plugins are joined by "+" ("-swa+pko").
        made: its build, None where there is none.
        lost: settings of the base that nothing in it has.
        problem: why there is none.
    """

    name: str
    made: Made | None
    lost: tuple[str, ...] = ()
    problem: str = ""


def make_variants(
    recipe: Recipe, registry: Registry, drop: Sequence[str], add: Sequence[str], smoke: bool
) -> list[Variant]:
    """The base first, then what is dropped, then what is added; each is built.

    Args:
        drop: plugins, each for a variant of its own, "a+b" for one without both; "each" for all that the recipe names.
        add: the same for what is added.

    Raises:
        PgolfError: from the base, or PG004 for a name that is no plugin or that the recipe does not have.
    """
    base = select(recipe, registry)
    wanted: list[str] = []
    for item in drop:
        wanted += sorted(base.chosen) if item == EACH else [item]
    for item in (*wanted, *add):
        check_names(item.split("+"), registry)
    for item in wanted:
        absent = [name for name in item.split("+") if name not in base.plugins]
        if absent:
            raise PgolfError("PG004", f"the recipe has no {absent[0]}", "--drop", f"it has {', '.join(base.chosen)}")
    variants = [Variant(BASE, make(recipe, registry, smoke=smoke))]
    for item in dict.fromkeys(wanted):
        variants.append(build(f"-{item}", without(recipe, item.split("+")), registry, smoke))
    for item in dict.fromkeys(add):
        variants.append(build(f"+{item}", recipe.override(item.split("+")), registry, smoke))
    same = {variants[0].made.built.sha256 if variants[0].made else ""}
    return [
        replace(one, made=None, problem="it builds the same file as the base")
        if one.name != BASE and one.made and one.made.built.sha256 in same
        else one
        for one in variants
    ]


def check_names(names: Sequence[str], registry: Registry) -> None:
    """PG004 for a name that is no plugin."""
    for name in names:
        if name not in registry.plugins:
            raise PgolfError("PG004", f"there is no plugin {name!r}", "--drop, --add", "see pgolf plugins")


def without(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """The recipe with these plugins left out, whoever brings them."""
    layers = tuple(tuple(name for name in layer if name not in names) for layer in recipe.layers)
    return replace(recipe, layers=layers, remove=(*recipe.remove, *names))


def with_known_settings(recipe: Recipe, registry: Registry) -> Recipe:
    """The recipe without settings that no plugin of it has.

    Raises:
        PgolfError: when its plugins do not go together.
    """
    known = select(replace(recipe, settings={}, fixed=frozenset()), registry).settings.as_dict()
    return replace(recipe, settings={key: value for key, value in recipe.settings.items() if key in known})


def build(name: str, recipe: Recipe, registry: Registry, smoke: bool) -> Variant:
    """A variant under its own name, without the settings that only what was dropped has; not every one can be built."""
    recipe = replace(recipe, name=f"{recipe.name} {name}")
    try:
        kept = with_known_settings(recipe, registry)
        lost = tuple(sorted(set(recipe.settings) - set(kept.settings)))
        recipe = smoke_recipe(kept, registry) if smoke else kept  # what was added has sizes of its own
        return Variant(name, make(recipe, registry, smoke=smoke), lost)
    except PgolfError as error:
        return Variant(name, None, problem=error.message)
