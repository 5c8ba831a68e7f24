"""Sequences are half as long until step 2."""

from pgolf import Component, Phase, Plugin, hookimpl

PLUGIN = Plugin(
    name="example_short_batches",
    summary="Short sequences in the first two steps.",
    source="pgolf's documentation",
    family="data",
)


class HalfLength:
    """phases -> (tokens of a step, tokens of a sequence)."""

    def __init__(self, tokens, seq_len):
        self.tokens, self.seq_len = tokens, seq_len

    def __call__(self, phases):
        return self.tokens, self.seq_len if "full" in phases else self.seq_len // 2


def second_step(progress):
    """The phase's start, which leaves the receipt."""
    return progress.step >= 2


@hookimpl
def batch_shape(settings) -> Component:
    """Asked for each micro-batch."""
    return Component(HalfLength, tokens=settings.train_batch_tokens, seq_len=settings.train_seq_len)


@hookimpl
def phases(settings) -> list[Phase]:
    """Every shape is compiled before the clock starts."""
    return [Phase("full", Component(second_step))]
