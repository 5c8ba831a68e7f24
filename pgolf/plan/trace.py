"""Walks the model of a recipe once for every set of phases, on a few tokens, and writes down what each step reads.

The model is the real one at its real sizes, with whatever its memory holds: only names and shapes matter here.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from pgolf.resolve import SCORING_VARIANTS, Resolved, load_entry
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.wiring import walk_plan

if TYPE_CHECKING:
    from torch import Tensor

TOKENS = 16


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    Attributes:
        position: number of the step.
        layer: physical layer.
        time: which time the layer runs, counted from 1.
        decoder: whether it is in the second half.
        skip: the encoder step whose output joins before this one, or None.
        lanes: residual streams before and after it; (0, 0) where the wiring does not walk with `walk_plan`.
        reads: names of the tensors it reads.
    """

    position: int
    layer: int
    time: int
    decoder: bool
    skip: int | None
    lanes: tuple[int, int]
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Variant:
    """The model while a set of phases is on.

    Attributes:
        phases: their names.
        steps: in order.
        outside: names of the tensors read before the first step and after the last one.
        idle: names of the tensors that nothing reads.
    """

    phases: tuple[str, ...]
    steps: tuple[Step, ...]
    outside: tuple[str, ...]
    idle: tuple[str, ...]

    @property
    def skips(self) -> int:
        """Skips that are merged."""
        return sum(step.skip is not None for step in self.steps)


@dataclass(frozen=True)
class Plan:
    """All variants of a recipe.

    Attributes:
        name: the recipe's.
        variants: in the order in which phases may begin, plain first.
        sizes: elements of every tensor by canonical name.
        trained: variants that training has; the others are on after it.
        compiled: variants that are compiled, those of scoring included.
        limit: how many are allowed.
    """

    name: str
    variants: tuple[Variant, ...]
    sizes: dict[str, int]
    trained: int
    compiled: int
    limit: int


class Reads(dict[str, "Tensor"]):
    """Tensors by name, with a list of the names that were asked for."""

    def __init__(self, tensors: dict[str, Tensor], seen: list[str]) -> None:
        super().__init__(tensors)
        self.seen = seen

    def __getitem__(self, name: str) -> Tensor:
        self.seen.append(name)
        return super().__getitem__(name)


class TracedGPT(GPT):
    """The model, writing down what it reads."""

    seen: list[str]

    def matrices(self) -> dict[str, Tensor]:
        """Canonical tensors that note their names."""
        return Reads(super().matrices(), self.seen)


@dataclass
class Walk:
    """What happens between the first and the last step of one forward."""

    seen: list[str]
    found: list[tuple[int, int, bool, tuple[int, int], tuple[str, ...]]] = field(default_factory=list)
    before: tuple[str, ...] = ()
    merged: bool = False

    def take(self) -> tuple[str, ...]:
        """Names since the last call, each once."""
        names = tuple(dict.fromkeys(self.seen))
        self.seen.clear()
        return names

    def __call__(self, model: Any, lanes: Any, x0: Any, ctx: Any, block: Any, join: Any) -> Any:
        """`walk_plan`, with every step noted."""
        self.before = self.take()

        def noted_join(model: Any, lanes: Any, skip: Any, index: int, layer: int, ctx: Any) -> Any:
            self.merged = skip is not None
            self.waiting = len(lanes)
            return join(model, lanes, skip, index, layer, ctx)

        def noted_block(model: Any, lanes: Any, x0: Any, layer: int, position: int, ctx: Any) -> Any:
            given = self.waiting or len(lanes)
            made = block(model, lanes, x0, layer, position, ctx)
            physical = layer
            for choice in model.program.matrix_layers:
                physical = choice("", physical, position, ctx)
            self.found.append((physical, position, self.merged, (given, len(made)), self.take()))
            self.merged, self.waiting = False, 0
            return made

        self.waiting = 0
        return walk_plan(model, lanes, x0, ctx, noted_block, noted_join)


@contextmanager
def watched(wiring: Any, walk: Walk) -> Iterator[None]:
    """The wiring's module calls `walk` where it says `walk_plan`."""
    target = wiring.func if isinstance(wiring, functools.partial) else wiring
    kind = target if hasattr(target, "__qualname__") else type(target)
    module = sys.modules[kind.__module__]
    original = getattr(module, "walk_plan", None)
    if original is not None:
        module.walk_plan = walk  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if original is not None:
            module.walk_plan = original  # type: ignore[attr-defined]


def trace_plan(name: str, resolved: Resolved) -> Plan:
    """Run the model of a recipe once for every set of phases."""
    module = load_entry(resolved.entry, "pgolf_plan_entry")
    program, parameters = module.make_program(), module.make_parameters()
    model = TracedGPT(module.SETTINGS, program, parameters, torch.device("cpu"), torch.float32)
    state = canonical_state(dict(model.named_parameters()), parameters)
    sizes = {key: tensor.numel() for key, tensor in state.items()}
    variants = tuple(trace_variant(model, phases, plan, sizes) for phases, plan in resolved.plan.variants.items())
    after = set(program.phases_after_training)
    trained = sum(not after & {*variant.phases} for variant in variants)
    compiled = trained + SCORING_VARIANTS + bool(after)
    return Plan(name, variants, sizes, trained, compiled, module.SETTINGS.recompile_limit)


@torch.no_grad()
def trace_variant(
    model: TracedGPT,
    phases: tuple[str, ...],
    plan: tuple[tuple[int, ...], tuple[int, ...]],
    sizes: dict[str, int],
) -> Variant:
    """One training forward on a few tokens."""
    model.seen = []
    walk = Walk(model.seen)
    ids = torch.zeros(1, min(TOKENS, model.settings.train_seq_len), dtype=torch.int64)
    scalars = {name: torch.ones(()) for name, _ in model.program.forward_scalars}
    with watched(model.program.wiring, walk):
        model(ids, ids, phases=phases, fields=scalars)
    outside = tuple(dict.fromkeys(walk.before + walk.take()))
    encoder, decoder = plan
    found = walk.found or [
        (layer, position, False, (0, 0), tuple(key for key in outside if key.startswith(f"blocks.{layer}.")))
        for position, layer in enumerate(encoder + decoder)
    ]
    steps, times = [], [0] * model.settings.num_layers
    for layer, position, merged, lanes, reads in found:
        times[layer] += 1
        index = position - len(encoder)
        skip = len(encoder) - 1 - index if merged else None
        steps.append(Step(position, layer, times[layer], index >= 0, skip, lanes, reads))
    read = set(outside).union(*(step.reads for step in steps))
    return Variant(phases, tuple(steps), outside, tuple(key for key in sizes if key not in read))
