"""Queries and keys are one product with one matrix, which is stored in place of two; values have their own."""

from pgolf import Component, Param, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_projection",
    summary="One matrix for queries and keys.",
    source="pgolf's documentation",
    family="architecture",
)


def project_together(model, n_BTD, layer, position, ctx):
    """Through `model.project`, so that calibration sees the matrix."""
    ctx.fired("example_projection", "layers")
    together = model.project(n_BTD, "attn.c_qk", layer, position, ctx)
    v = model.project(n_BTD, "attn.c_v", layer, position, ctx)
    return together[..., : n_BTD.size(-1)], together[..., n_BTD.size(-1) :], v


@hookimpl
def dropped_matrices(settings) -> list[str]:
    """The layout leaves these out."""
    layers = range(settings.num_layers)
    return [f"blocks.{layer}.attn.c_q.weight" for layer in layers] + [
        f"blocks.{layer}.attn.c_k.weight" for layer in layers
    ]


@hookimpl
def parameters(settings) -> list[Param]:
    """What takes their place: a matrix under a role of its own."""
    shape = (settings.model_dim + settings.kv_dim, settings.model_dim)
    return [Param("blocks.{}.attn.c_qk.weight", shape, "matrix", "attn", layers=settings.num_layers)]


@hookimpl
def qkv_projection(settings) -> Component:
    """In place of three products."""
    return Component(project_together)
