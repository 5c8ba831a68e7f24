"""Two batches of training data, in one reserved second."""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_calibration",
    summary="Input statistics of two batches.",
    source="pgolf's documentation",
    family="quantizer",
)


class TwoBatches:
    """`reads` says that it opens training data, so it runs while the clock does."""

    reads = "train"

    def __call__(self, session):
        """This rank's own batches."""
        for _ in range(2):
            yield session.next_batch()[0]
        session.ledger.count("example_calibration", "batches", 2)


@hookimpl
def calibration_source(settings) -> Component:
    """Recipes with `statistics` get what is collected."""
    return Component(TwoBatches)


@hookimpl
def reserve(settings) -> float:
    """Seconds by which training stops before its budget."""
    return 1.0
