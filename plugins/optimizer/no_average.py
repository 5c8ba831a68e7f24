"""No weight averaging: the weights of the last step are the model.

Source: the baseline script.
"""

from pgolf import Component, Plugin, hookimpl

PLUGIN = Plugin(
    name="no_average",
    summary="Keeps the weights of the last step.",
    source="openai/parameter-golf baseline train_gpt.py",
    family="optimizer",
)


class NoAverage:
    """Average component that changes nothing: `start(tensors)`, `update(tensors)`, `apply(tensors, ledger)`."""

    def start(self, tensors):
        """Nothing to keep."""

    def update(self, tensors):
        """Nothing to add."""

    def apply(self, tensors, ledger):
        """Leave the live tensors as they are."""
        ledger.note("no_average", "last weights")


@hookimpl
def average(settings):
    """The last weights."""
    return Component(NoAverage)
