"""lr <- (1 - f) lr, f the elapsed share of the budget."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_schedule",
    summary="Learning rates fall linearly.",
    source="pgolf's documentation",
    family="optimizer",
)


def fall(progress, scalars, ledger):
    """Several schedules run in order, each on what the one before gives."""
    ledger.note("example_schedule", f"lr_mul {1 - progress.fraction:.3f} at step {progress.step}")
    return scalars._replace(lr_mul=scalars.lr_mul * max(1 - progress.fraction, 0.0))


@hookimpl
def schedules(settings) -> Component:
    """Every step."""
    return Component(fall)
