"""W <- W - mean of each row, from half of training on: a phase and what acts in it."""

from pgolf import Component, Phase, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_late_rows",
    summary="Rows of the MLP without their mean, late in training.",
    source="pgolf's documentation",
    family="architecture",
)


def half_done(progress):
    """True from the step at which the phase is on."""
    return progress.fraction >= 0.5


def center_rows(model, weight, role, layer, position, ctx):
    """Only for one role, and only while the phase is on."""
    if role != "mlp.fc" or "centered" not in ctx.phases:
        return weight
    ctx.fired("example_late_rows", "matrices")
    return weight - weight.mean(1, keepdim=True)


@hookimpl
def phases(settings) -> list[Phase]:
    """Scored with it too, because `scoring` is True where nothing is said."""
    return [Phase("centered", Component(half_done))]


@hookimpl
def weight_taps(settings) -> Component:
    """Every use of every matrix."""
    return Component(center_rows)
