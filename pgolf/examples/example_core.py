"""Values are centred over their heads' channels before attention."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.segments import run_kernel

PLUGIN = Plugin(
    name="example_core",
    summary="Attention on centred values.",
    source="pgolf's documentation",
    family="architecture",
)


def centre_values(model, q_BTHC, k_BTKC, v_BTKC, layer, position, ctx):
    """Whichever kernel there is does the rest."""
    ctx.fired("example_core", "layers")
    return run_kernel(model, q_BTHC, k_BTKC, v_BTKC - v_BTKC.mean(-1, keepdim=True), layer, position, ctx)


@hookimpl
def attention_core(settings) -> Component:
    """Around the kernel."""
    return Component(centre_values)
