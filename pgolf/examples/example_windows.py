"""Windows of half the sequence length that overlap by half: each target has a quarter of context or more."""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.evaluate import Span

PLUGIN = Plugin(
    name="example_windows",
    summary="Overlapping short windows.",
    source="pgolf's documentation",
    family="eval",
)


class HalfWindows:
    """Every target once."""

    name = "example_windows"
    label = "half_windows"

    def spans(self, num_tokens, seq_len):
        """Inputs tokens[start:end], targets one further; offsets from `first` on are scored."""
        length, targets = max(seq_len // 2, 2), num_tokens - 1
        stride = length // 2
        starts = range(0, max(targets - (length - stride), 1), stride)
        return [Span(at, min(at + length, targets), 0 if at == 0 else length - stride) for at in starts]


@hookimpl
def windows(settings) -> Component:
    """For the final score; validation keeps its own windows."""
    return Component(HalfWindows)
