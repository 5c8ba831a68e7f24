"""Every hook on one page, grouped by family. A hook runs once, at build time.

Two shapes only. A *slot* has exactly one provider; the baseline's provider steps back for a plugin that is selected by
name, and two plugins selected by name are an error. A *tap* is an ordered chain that may be empty; its order comes from
the plugins' `order`, `before` and `after`, never from the order on the command line.

Hooks that provide behaviour return `Component(target, **literals)` or None ("not with these settings"). Each docstring
states how the running program calls the component. Shapes: B batch, T sequence, D model width, H query heads, K
key/value heads, C head width, V vocabulary. `settings` holds every setting of the selected plugins by name, and
`settings.plugins`, the set of selected names; `plan` is `PlanFacts`. `ctx` is `pgolf.runtime.context.Context`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

from pgolf.component import Component, Group, Param, Phase, PlanFacts

hookspec = pluggy.HookspecMarker("pgolf")
hookimpl = pluggy.HookimplMarker("pgolf")

HOOKS: dict[str, tuple[str, str]] = {}


def _hook(family: str, shape: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a specification and record its family and shape: slot, optional slot, tap or records."""

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        HOOKS[function.__name__] = (family, shape)
        return hookspec(function)

    return mark


# Architecture --------------------------------------------------------------------------------------------------------


@_hook("architecture", "records")
def parameters(settings: Any, plan: PlanFacts) -> list[Param]:
    """Tensors that this plugin creates, beyond the six matrices of each layer."""


@_hook("architecture", "slot")
def parameter_layout(settings: Any) -> list[Param]:
    """Where the six matrices of each layer live: one tensor each, or banks with `members`."""


@_hook("architecture", "slot")
def initializer(settings: Any) -> Component:
    """Start of every matrix whose record gives no `init`: `f(tensor, generator, ledger)` fills `tensor` in place."""


@_hook("architecture", "slot")
def layer_plan(settings: Any) -> Component:
    """Order of layers: `plan(phases) -> (encoder, decoder)`, tuples of physical indices, and `name`; no torch."""


@_hook("architecture", "tap")
def stem_terms(settings: Any) -> Component:
    """Added to the token embedding: `term(model, ids_BT, ctx) -> x_BTD`."""


@_hook("architecture", "tap")
def stem_raw(settings: Any) -> Component:
    """Mixes positions of the raw embedding, before its norm: `mix(model, x_BTD, ids_BT, ctx) -> x_BTD`."""


@_hook("architecture", "tap")
def stem_normed(settings: Any) -> Component:
    """Mixes positions of the normed embedding, before x0 is taken: `mix(model, x_BTD, ids_BT, ctx) -> x_BTD`."""


@_hook("architecture", "tap")
def branch_inputs(settings: Any) -> Component:
    """Changes the normed input of both branches: `scale(model, n_BTD, layer, position, ctx) -> n_BTD`."""


@_hook("architecture", "tap")
def weight_taps(settings: Any) -> Component:
    """View of a matrix before it is used: `tap(model, weight, role, layer, position, ctx) -> weight`.

    Order: mixes of matrices, fake quantization, noise; the engine casts to the activation's dtype last.
    """


@_hook("architecture", "tap")
def value_terms(settings: Any) -> Component:
    """Changes the values, E = K*C, before heads: `term(model, v_BTE, n_BTD, layer, position, ctx) -> v_BTE`."""


@_hook("architecture", "slot")
def rotary(settings: Any) -> Component:
    """Position encoding of normed queries and keys: `rotate(model, x_BTHC, layer, position, ctx) -> x_BTHC`."""


@_hook("architecture", "tap")
def query_key_taps(settings: Any) -> Component:
    """After rotation: `tap(model, q_BTHC, k_BTKC, n_BTD, layer, position, ctx) -> (q, k)`."""


@_hook("architecture", "slot")
def attention_kernel(settings: Any) -> Component:
    """Causal attention, scale 1/sqrt(C): `kernel(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx) -> y_BTHC`."""


@_hook("architecture", "tap")
def attention_outputs(settings: Any) -> Component:
    """Before the output projection: `tap(model, y_BTHC, v_BTKC, n_BTD, layer, position, ctx) -> y_BTHC`."""


@_hook("architecture", "slot")
def mlp(settings: Any) -> Component:
    """The MLP body: `mlp(model, n_BTD, layer, position, ctx) -> x_BTD`, through `model.project`."""


@_hook("architecture", "slot")
def wiring(settings: Any) -> Component:
    """Residual lanes: `wiring(model, x_BTD, x0_BTD, ctx) -> x_BTD` walks the plan and joins branches and skips."""


@_hook("architecture", "slot")
def skip(settings: Any) -> Component:
    """How a stored skip joins the stream: `skip(model, x_BTD, skip_BTD, index, ctx) -> x_BTD`."""


@_hook("architecture", "slot")
def head(settings: Any) -> Component:
    """Final hidden state to logits, cap included: `head(model, x_BTD, ctx) -> logits_BTV`."""


@_hook("architecture", "slot")
def loss(settings: Any) -> Component:
    """Negative log-likelihood in nats, (B,T) or its mean: `loss(model, logits_BTV, targets_BT, reduction, ctx)`."""


@_hook("architecture", "tap")
def auxiliary_losses(settings: Any) -> Component:
    """Added to the training loss alone: `loss(model, x_BTD, logits_BTV, targets_BT, ctx) -> scalar`."""


# Optimizer -----------------------------------------------------------------------------------------------------------


@_hook("optimizer", "records")
def groups(settings: Any) -> list[Group]:
    """Optimizer groups for everything but matrices, with their learning rates."""


@_hook("optimizer", "slot")
def matrix_optimizer(settings: Any) -> Component:
    """Optimizer of group "matrix": an object with `bind`, `launch`, `step`; see `pgolf.runtime.optimize`."""


@_hook("optimizer", "slot")
def orthogonalizer(settings: Any) -> Component:
    """Nearest semi-orthogonal matrix: `f(update, steps) -> update`, 2-D or batched 3-D, and `name`."""


@_hook("optimizer", "slot")
def element_optimizer(settings: Any) -> Component:
    """Optimizer of every other group: an object with `bind(groups, world)`, `step(scalars, ledger)`."""


@_hook("optimizer", "slot")
def clock(settings: Any) -> Component:
    """Training time: an object with `start()`, `pause(ledger)`, `elapsed_ms(step)`, `deterministic`."""


@_hook("optimizer", "slot")
def average(settings: Any) -> Component:
    """Weight averaging: an object with `start(tensors)`, `update(tensors)`, `apply(tensors, ledger)`."""


@_hook("optimizer", "tap")
def gradient_taps(settings: Any) -> Component:
    """Changes gradients before they are reduced over ranks: `tap(tensors, ledger)`; a `.grad` may be None."""


@_hook("optimizer", "tap")
def update_taps(settings: Any) -> Component:
    """Changes a matrix update before orthogonalisation: `tap(update, ledger) -> update`."""


@_hook("optimizer", "tap")
def apply_taps(settings: Any) -> Component:
    """Changes a matrix just before its update is applied: `tap(tensor, lr, scalars, ledger)`, in place."""


@_hook("optimizer", "tap")
def schedules(settings: Any) -> Component:
    """Sets the step's scalars: `schedule(progress, scalars, ledger) -> scalars`; see `pgolf.runtime.progress`."""


@_hook("optimizer", "records")
def phases(settings: Any) -> list[Phase]:
    """Run-time variants that switch on during training; `start` is `f(progress) -> bool`."""


# Quantizer -----------------------------------------------------------------------------------------------------------


@_hook("quantizer", "optional slot")
def calibration_source(settings: Any) -> Component:
    """Token batches for input statistics: `source(session) -> iterable of ids_BT`; X^T X reaches recipes."""


@_hook("quantizer", "records")
def tensor_recipes(settings: Any) -> dict[str, Component]:
    """Recipe for each quantization class: `name`, `encode(tensor, hessian, ledger) -> parts`, `decode(parts, dtype)`."""


@_hook("quantizer", "optional slot")
def fit(settings: Any) -> Component:
    """Fits encoded tensors to the budget: `fit(encoded, measure, ledger) -> encoded`; `measure` gives packed bytes."""


# Compressor ----------------------------------------------------------------------------------------------------------


@_hook("compressor", "slot")
def stream_layout(settings: Any) -> Component:
    """Encoded tensors to one byte string and back: an object with `pack(encoded, ledger)` and `unpack(data)`."""


@_hook("compressor", "slot")
def entropy_coder(settings: Any) -> Component:
    """Lossless compression: an object with `name`, `compress(data, ledger)` and `decompress(data, limit)`."""


# Eval ----------------------------------------------------------------------------------------------------------------


@_hook("eval", "slot")
def windows(settings: Any) -> Component:
    """Which targets are scored with which context: an object with `label`, `spans(num_tokens, seq_len)`."""


@_hook("eval", "optional slot")
def adapter(settings: Any) -> Component:
    """Test-time training: an object with `open(model)`, `delta(x, role, position)`, `learn(nll_BT, scored_BT)`."""


@_hook("eval", "tap")
def distribution_transforms(settings: Any) -> Component:
    """Changes logits when scoring: `transform(model, logits_BTV, ids_BT, ctx) -> logits_BTV`."""


# Data ----------------------------------------------------------------------------------------------------------------


@_hook("data", "slot")
def token_loader(settings: Any) -> Component:
    """Training batches: an object with `open(pattern, rank, world_size, vocab_size, ledger)`, `next(tokens, seq_len)`."""


@_hook("data", "slot")
def byte_counter(settings: Any) -> Component:
    """UTF-8 bytes each target stands for: an object with `open(tokenizer_path, data_path, vocab_size, device, ledger)`
    and `count(ids_BT, targets_BT, positions_BT) -> bytes_BT`."""


@_hook("data", "records")
def batch_fields(settings: Any) -> dict[str, Component]:
    """Extra tensors per batch, by name, reachable as `ctx.fields`: `field(ids_BT, ledger) -> tensor`."""
