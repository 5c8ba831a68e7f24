"""k <- k - mean of k over its channels."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_key_mean",
    summary="Keys without their mean.",
    source="pgolf's documentation",
    family="architecture",
)


def center_keys(model, q_BTHC, k_BTKC, n_BTD, layer, position, ctx):
    """Both are given, both come back."""
    ctx.fired("example_key_mean", "layers")
    return q_BTHC, k_BTKC - k_BTKC.mean(3, keepdim=True)


@hookimpl
def query_key_taps(settings) -> Component:
    """After rotation."""
    return Component(center_keys)
