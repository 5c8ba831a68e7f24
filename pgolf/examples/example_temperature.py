"""logits <- logits / 1.05 when scoring."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_temperature",
    summary="A constant temperature.",
    source="pgolf's documentation",
    family="eval",
)


def cool(model, logits_BTV, ids_BT, ctx, temperature):
    """A distribution must stay one: the loss normalizes what comes back."""
    ctx.fired("example_temperature", "transforms")
    return logits_BTV / temperature


@hookimpl
def distribution_transforms(settings) -> Component:
    """Never in training."""
    return Component(cool, temperature=1.05)
