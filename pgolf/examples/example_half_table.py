"""The token embedding starts half as large; a start by name, whoever declares the tensor."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_half_table",
    summary="Token embedding that starts at half its size.",
    source="pgolf's documentation",
    family="architecture",
)


def halve_table(state, ledger):
    """In place, after every tensor has its own start."""
    state["tok_emb.weight"].mul_(0.5)
    ledger.count("example_half_table", "tensors")


@hookimpl
def init_taps(settings) -> Component:
    """Once, before training."""
    return Component(halve_table)
