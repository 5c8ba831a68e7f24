"""g <- 0 where g is not finite."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_finite",
    summary="Drops gradients that are not finite.",
    source="pgolf's documentation",
    family="optimizer",
)


def drop_infinite(tensors, names, ledger):
    """In place, on this rank's own gradients; some tensors may have none."""
    for tensor in tensors:
        if tensor.grad is not None:
            tensor.grad.nan_to_num_(0.0, 0.0, 0.0)
    ledger.count("example_finite", "steps")


@hookimpl
def gradient_taps(settings) -> Component:
    """Before gradients are averaged over ranks."""
    return Component(drop_infinite)
