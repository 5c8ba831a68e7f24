"""W <- (1 - lr wd) W where update and weight have the same sign."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_decay",
    summary="Cautious weight decay of matrices.",
    source="pgolf's documentation",
    family="optimizer",
)


def cautious_decay(tensor, update, names, lr, scalars, ledger, weight_decay):
    """In place, just before the update is subtracted."""
    agree = (tensor * update > 0).to(tensor.dtype)
    tensor.mul_(1 - lr * weight_decay * scalars.weight_decay_mul * agree)
    ledger.count("example_decay", "updates")


@hookimpl
def apply_taps(settings) -> Component:
    """Every matrix."""
    return Component(cautious_decay, weight_decay=0.1)
