"""1e-4 mean of logsumexp(logits)^2, added to the training loss."""

from pgolf import Component, Plugin, Setting, hookimpl

PLUGIN = Plugin(
    name="example_penalty",
    summary="Keeps the normalizer of the logits near one.",
    source="pgolf's documentation",
    family="architecture",
    settings=(Setting("penalty", 1e-4, "strength; 0 is off", minimum=0.0),),
)


def square_normalizer(model, x_BTD, logits_BTV, targets_BT, ctx, strength):
    """A scalar."""
    ctx.fired("example_penalty", "penalties")
    return strength * logits_BTV.float().logsumexp(2).square().mean()


@hookimpl
def auxiliary_losses(settings) -> Component | None:
    """None says: not with these settings."""
    return Component(square_normalizer, strength=settings.penalty) if settings.penalty > 0 else None
