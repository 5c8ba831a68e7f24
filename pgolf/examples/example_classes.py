"""The output projection with the largest weight gets eight bits."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_classes",
    summary="Class by magnitude.",
    source="pgolf's documentation",
    family="quantizer",
)


def promote_largest(state, statistics, ledger):
    """canonical name -> class, for those that change; the artifact remembers it."""
    names = [name for name in state if name.endswith("mlp.proj.weight")]
    largest = max(names, key=lambda name: state[name].abs().max().item())
    ledger.note("example_classes", f"{largest} is stored like embeddings")
    return {largest: "embed"}


@hookimpl
def quantization_plan(settings) -> Component:
    """Before anything is encoded."""
    return Component(promote_largest)
