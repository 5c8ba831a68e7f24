"""logits <- 20 z / (10 + |z|)."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_cap",
    summary="A cap without a transcendental function.",
    source="pgolf's documentation",
    family="architecture",
    replaces=("tanh_softcap",),
)


def rational_cap(model, logits_BTV, ctx):
    """logits_BTV -> logits_BTV."""
    ctx.fired("example_cap", "caps")
    return 20 * logits_BTV / (10 + logits_BTV.abs())


@hookimpl
def logit_taps(settings) -> Component:
    """In the place of the baseline's cap."""
    return Component(rational_cap)
