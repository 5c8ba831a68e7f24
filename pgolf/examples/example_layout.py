"""The six matrices of each layer, one tensor for each, all with the start of the `initializer`."""

from pgolf import Param, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_layout",
    summary="One tensor per matrix.",
    source="pgolf's documentation",
    family="architecture",
)


@hookimpl
def parameter_layout(settings) -> list[Param]:
    """(out, in) under their public names; `kv_dim` and `hidden_dim` follow from the other sizes."""
    dim, kv_dim, hidden = settings.model_dim, settings.kv_dim, settings.hidden_dim
    shapes = {"attn.c_q": (dim, dim), "attn.c_k": (kv_dim, dim), "attn.c_v": (kv_dim, dim), "attn.proj": (dim, dim)}
    shapes |= {"mlp.fc": (hidden, dim), "mlp.proj": (dim, hidden)}
    return [
        Param(f"blocks.{{}}.{role}.weight", shape, "matrix", role.split(".")[0], layers=settings.num_layers)
        for role, shape in shapes.items()
    ]
