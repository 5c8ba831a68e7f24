"""logits = h E^T; E is the embedding, and the cap is not the head's."""

from pgolf import Component, Param, Plugin, hookimpl
from pgolf.runtime.layers import use_matrix
from pgolf.runtime.parameters import normal

PLUGIN = Plugin(
    name="example_head",
    summary="Tied head.",
    source="pgolf's documentation",
    family="architecture",
)


def tied_logits(model, x_BTD, ctx):
    """Through `use_matrix`, as every matrix; the head has layer 0 and position 0."""
    ctx.fired("example_head", "heads")
    return use_matrix(model, model.tok_emb.weight, x_BTD, "head", 0, 0, ctx)


@hookimpl
def parameters(settings) -> list[Param]:
    """Whoever has the slot `head` declares the embedding; `tap` names the role that calibrates it."""
    shape, init = (settings.vocab_size, settings.model_dim), Component(normal, std=0.005)
    return [Param("tok_emb.weight", shape, "embed", "embed", init=init, dtype="activation", tap="head")]


@hookimpl
def head(settings) -> Component:
    """Takes the place of the baseline's."""
    return Component(tied_logits)
