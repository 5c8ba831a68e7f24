"""What `pgolf plugins show` works out of a plugin by selecting it: its tensors, and its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgolf.errors import PgolfError, PgolfErrors

if TYPE_CHECKING:
    from pgolf.component import Param
    from pgolf.manager import Registry


def tensors(name: str, registry: Registry) -> list[dict[str, Any]]:
    """Tensors that a plugin declares on top of the baseline with default settings; none where that cannot be built."""
    from pgolf.component import PlanFacts
    from pgolf.providers import Providers
    from pgolf.recipe import Recipe
    from pgolf.select import select

    try:
        selection = select(Recipe(name="show", layers=((name,),)), registry)
        layers = selection.settings.num_layers
        providers = Providers(selection)
        providers.available["plan"] = PlanFacts(num_steps=layers, num_skips=layers // 2, num_blocks=layers)
        declared = [*providers.records("parameter_layout"), *providers.records("parameters")]
    except (PgolfError, PgolfErrors):
        return []
    return [
        {
            "name": record.name.replace("{}", numbers(record)),
            "shape": "x".join(map(str, record.shape)) or "scalar",
            "group": record.group,
            "quant": record.quant if record.export != "drop" else "nothing",
        }
        for plugin, record in declared
        if plugin == name
    ]


def numbers(record: Param) -> str:
    """Which layers have the tensor."""
    first, last = record.first, record.layers - 1
    return f"{first}..{last}" if first < last else str(first)


def added_bytes(name: str, registry: Registry) -> int:
    """Bytes by which the packed baseline grows with a plugin and what it requires.

    Raises:
        PgolfError: when it cannot be built on top of the baseline with default settings.
    """
    from pgolf.recipe import Recipe
    from pgolf.submission import make

    sizes = [
        len(make(Recipe(name="show", layers=(names,)), registry, "auto", False).built.code) for names in ((), (name,))
    ]
    return sizes[1] - sizes[0]
