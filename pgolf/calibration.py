"""Build-time checks of quantization: who needs input statistics, where they come from, and whether there is time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pgolf.component import Component, Param
from pgolf.errors import PgolfError
from pgolf.runtime.quantize import KEPT_ELEMENTS

READS = ("", "train")
CLASSES = ("attn", "aux", "control", "embed", "head", "mlp")
"""Quantization classes of built-in plugins; a model need not have tensors of each."""


def components_in(value: Any) -> list[Component]:
    """A component with those in its arguments, at any depth; [] for a literal."""
    if isinstance(value, Component):
        return [value, *components_in(tuple(value.arguments.values()))]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [found for item in items for found in components_in(item)]


def calibrated_classes(recipes: Mapping[str, Component]) -> tuple[str, ...]:
    """Quantization classes whose recipe, or a component in it, needs statistics of its matrices."""
    return tuple(
        key
        for key, recipe in sorted(recipes.items())
        if any(getattr(part.target, "statistics", ()) for part in components_in(recipe))
    )


def grouped_classes(recipes: Mapping[str, Component]) -> tuple[str, ...]:
    """Quantization classes whose recipe encodes matrices of one shape together, because its rounding solves them so."""
    return tuple(
        key
        for key, recipe in sorted(recipes.items())
        if hasattr(recipe.target, "encode_group")
        and any(hasattr(part.target, "solve") for part in components_in(recipe))
    )


def check_classes(owners: Mapping[str, str], used: Iterable[str]) -> None:
    """A recipe for a class that no tensor has is a misspelt setting.

    Args:
        owners: class -> plugin that gives its recipe.
        used: classes that tensors have.

    Raises:
        PgolfError: PG206, naming class and plugin.
    """
    known = sorted({*CLASSES, *used})
    for quant, plugin in sorted(owners.items()):
        if quant not in known:
            text = f"{plugin} has a recipe for the quantization class {quant!r}; there are {', '.join(known)}"
            raise PgolfError("PG206", text, f"{plugin}: tensor_recipes", "check the setting that lists its classes")


def check_taps(params: Iterable[tuple[str, Param]], calibrated: tuple[str, ...]) -> None:
    """A large matrix outside the layers has statistics only where its record names the tap that sees its input.

    Raises:
        PgolfError: PG211, naming the tensor.
    """
    for plugin, param in params:
        shape = param.shape[bool(param.members) :]
        large = len(shape) == 2 and shape[0] * shape[1] > KEPT_ELEMENTS and param.export != "drop"
        for name in param.members or (param.name,):
            in_layer = name.startswith("blocks.{}.") and name.endswith(".weight")
            if large and param.quant in calibrated and not (in_layer or param.tap):
                text = f"{name} of class {param.quant!r} needs input statistics, and its record names no tap"
                raise PgolfError("PG211", text, f"{plugin}: parameters", "leave the class out, see sdclip_classes")


def check_used(parts: Iterable[Component], recipes: Mapping[str, Component]) -> None:
    """A rounding or clip rule that no recipe takes would do nothing.

    Raises:
        PgolfError: PG210, naming it.
    """
    used = [part for recipe in recipes.values() for part in components_in(recipe)]
    for part in parts:
        if part not in used:
            text = f"no recipe takes {part.name} of {part.module.rsplit('.', 1)[-1]}"
            raise PgolfError("PG210", text, hint="select a plugin whose recipes do, such as sdclip")


def check_calibration(
    source: Component | None, calibrated: tuple[str, ...], reserve: float, budget: float, used: bool
) -> None:
    """Statistics that are needed have a source, and one that reads training data has time for it.

    Args:
        source: the calibration source.
        calibrated: classes whose matrices need statistics.
        reserve: seconds kept for it.
        budget: `max_wallclock_seconds`; 0 means that there is no limit.
        used: does anything look at statistics?

    Raises:
        PgolfError: PG211, for a source that is missing, useless, says nothing about what it reads, or has no time.
    """
    if budget and reserve >= budget:
        text = f"{reserve:g} s are reserved of max_wallclock_seconds = {budget:g}"
        raise PgolfError("PG211", text, hint="leave time for training")
    if source is None:
        if calibrated:
            text = f"the recipes of {', '.join(calibrated)} need input statistics, and nothing collects them"
            raise PgolfError("PG211", text, hint="select a calibration source, such as train_calibration")
        return
    reads = getattr(source.target, "reads", None)
    if reads not in READS:
        text = f"{source.name} has reads = {reads!r}, wanted 'train' or ''"
        raise PgolfError("PG211", text, hint="say as a class attribute whether it reads training data")
    if not used:
        text = f"{source.name} collects input statistics, and nothing uses them"
        raise PgolfError("PG211", text, hint="select what does, such as gptq and sdclip, or leave it out")
    if reads and budget and not reserve:
        text = f"{source.name} reads training data, and no time is reserved for it"
        raise PgolfError("PG211", text, hint="give its plugin a hook `reserve`, or its setting a value above 0")


def check_fits(fits: tuple[Component, ...], reserve: float, budget: float) -> None:
    """What is fitted to training text after training has time for it.

    Raises:
        PgolfError: PG211.
    """
    if fits and budget and not reserve:
        text = f"{fits[0].name} reads training data, and no time is reserved for it"
        raise PgolfError("PG211", text, hint="give its plugin a hook `reserve`, or its setting a value above 0")
