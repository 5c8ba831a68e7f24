"""Tiny models, made as a live run makes them: recipe -> entry module -> GPT."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from pgolf.manager import Registry, load_registry
from pgolf.recipe import Recipe
from pgolf.resolve import Resolved, load_entry, resolve
from pgolf.runtime.context import Context
from pgolf.runtime.environment import read_environment
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.model import GPT
from pgolf.runtime.parameters import canonical_state, initialize
from pgolf.runtime.session import Session

if TYPE_CHECKING:
    from pgolf.runtime.program import Program
    from pgolf.runtime.records import Param
    from pgolf.runtime.settings import Settings
    from pgolf.testing.runs import Data

TINY: dict[str, Any] = {
    "vocab_size": 256,
    "model_dim": 64,
    "num_heads": 4,
    "num_kv_heads": 2,
    "num_layers": 4,
    "train_seq_len": 64,
}


class TinyModel(NamedTuple):
    """What a recipe makes.

    Attributes:
        model: initialised, in training mode, on the CPU.
        phases: names of all phases.
    """

    model: GPT
    program: Program
    parameters: tuple[Param, ...]
    settings: Settings
    phases: tuple[str, ...]


@functools.cache
def known_plugins(plugin_dirs: tuple[Path, ...] = ()) -> Registry:
    """Every plugin that is built in, installed, or in one of these folders."""
    return load_registry(plugin_dirs)


def resolve_tiny(
    *plugins: str, plugin_dirs: Sequence[Path] = (), remove: Sequence[str] = (), **settings: Any
) -> Resolved:
    """A recipe at `TINY` size on top of the baseline; `settings` win."""
    recipe = Recipe("test", layers=(plugins,), remove=tuple(remove), settings={**TINY, **settings})
    return resolve(recipe, known_plugins(tuple(plugin_dirs)))


def make_model(
    *plugins: str,
    plugin_dirs: Sequence[Path] = (),
    remove: Sequence[str] = (),
    seed: int = 1,
    entry: str | None = None,
    **settings: Any,
) -> TinyModel:
    """The model of a recipe at tiny size, or of an entry module's source."""
    module = load_entry(entry or resolve_tiny(*plugins, plugin_dirs=plugin_dirs, remove=remove, **settings).entry)
    program, parameters = module.make_program(), module.make_parameters()
    model = GPT(module.SETTINGS, program, parameters, torch.device("cpu"), torch.float32)
    initialize(model, parameters, seed, Ledger())
    for tap in program.init_taps:
        tap(canonical_state(model.state_dict(), parameters), Ledger())
    return TinyModel(model, program, parameters, module.SETTINGS, tuple(spec.name for spec in program.phases))


def scramble(model: GPT, seed: int = 0) -> GPT:
    """Random values everywhere, so that no gate, scale or projection hides anything by being neutral."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.3)
    return model


def tiny_tokens(
    batch: int = 2, length: int = 32, vocab_size: int = 256, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids, targets), each int64 (batch, length), without the first four ids."""
    generator = torch.Generator().manual_seed(seed)
    stream = torch.randint(4, vocab_size, (batch, length + 1), generator=generator)
    return stream[:, :-1].contiguous(), stream[:, 1:].contiguous()


def tiny_context(
    model: GPT | None = None,
    ids: torch.Tensor | None = None,
    phases: tuple[str, ...] = (),
    training: bool = True,
    fields: dict[str, torch.Tensor] | None = None,
    ledger: Ledger | None = None,
) -> Context:
    """A context to call one component with; `ctx.weights` are the model's, and a ledger listens."""
    ids = tiny_tokens()[0] if ids is None else ids
    weights = model.matrices() if model is not None else {}
    return Context(ids, phases, training, weights, {}, fields or {}, None, None, ledger or Ledger())


def tiny_session(
    data: Data, *plugins: str, plugin_dirs: Sequence[Path] = (), log: list[str] | None = None, **settings: Any
) -> Session:
    """A session of one rank over `make_data`'s data; its log lines are appended to `log`."""
    from pgolf.runtime.distributed import World
    from pgolf.testing.runs import MICRO

    lines = [] if log is None else log
    resolved = resolve_tiny(*plugins, plugin_dirs=plugin_dirs, **{**MICRO, **settings})
    module = load_entry(resolved.entry)
    env = read_environment(module.SETTINGS)._replace(
        data_path=str(data.data_path), tokenizer_path=str(data.tokenizer_path), run_id="tiny", score=False
    )
    world = World(0, 1, 0, torch.device("cpu"))
    program, parameters = module.make_program(), module.make_parameters()
    made = Session(module.SETTINGS, program, parameters, env, world, lines.append, Ledger())
    module.prepare_components(made)
    return made
