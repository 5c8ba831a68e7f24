"""q = floor(w / step + 1/2)."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_rounding",
    summary="Rounds halves up.",
    source="pgolf's documentation",
    family="quantizer",
)


def round_up(name, weight, step, top, statistics, ledger):
    """int8 codes; `step` is what will be stored."""
    ledger.count("example_rounding", "matrices")
    return (weight / step.float()[:, None] + 0.5).floor().clamp(-top, top).char()


@hookimpl
def rounding(settings) -> Component:
    """For recipes that take it as an argument."""
    return Component(round_up)
