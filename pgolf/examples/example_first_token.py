"""x_0 <- x_0 + b: a learned vector for the first position, found with a batch field."""

import torch

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.parameters import normal

PLUGIN = Plugin(
    name="example_first_token",
    summary="A learned vector for the first position.",
    source="pgolf's documentation",
    family="architecture",
)


def is_first(ids_BT, ledger):
    """True (B,T) at position 0; a field is made once for each batch, outside compiled code."""
    ledger.count("example_first_token", "batches")
    first = torch.zeros_like(ids_BT, dtype=torch.bool)
    first[:, 0] = True
    return first


def add_first(model, ids_BT, ctx):
    """(B,T,D), zero but for the first position."""
    return ctx.fields["first"][..., None] * ctx.weights["first.vector"].to(ctx.weights["tok_emb.weight"].dtype)


@hookimpl
def parameters(settings) -> list[Param]:
    """Small at the start; `aux` tensors are stored in eight bits."""
    return [Param("first.vector", (settings.model_dim,), "scalar", "aux", init=Component(normal, std=0.01))]


@hookimpl
def batch_fields(settings) -> dict[str, Component]:
    """Reachable as `ctx.fields["first"]`."""
    return {"first": Component(is_first)}


@hookimpl
def stem_terms(settings) -> Component:
    """Before the norm of the embedding."""
    return Component(add_first)
