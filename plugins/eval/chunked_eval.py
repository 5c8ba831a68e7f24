"""Scoring in windows side by side: on average a target has half a window of context.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.evaluate import chunk_spans

PLUGIN = Plugin(
    name="chunked_eval",
    summary="Windows side by side.",
    source="openai/parameter-golf train_gpt.py",
    family="eval",
)


class ChunkedWindows:
    """The windows of validation during training are the ones of the final score."""

    name = "chunked_eval"
    label = ""

    def spans(self, num_tokens, seq_len):
        """Every target of whole windows once."""
        return chunk_spans(num_tokens, seq_len)


@hookimpl
def windows(settings) -> Component:
    """Chunks."""
    return Component(ChunkedWindows)
