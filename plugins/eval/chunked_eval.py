"""Scoring in windows side by side: on average a target has half a window of context.

Source: openai/parameter-golf, train_gpt.py (baseline).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgolf import Component, Plugin, hookimpl
from pgolf.runtime.evaluate import chunk_spans

if TYPE_CHECKING:
    from pgolf.runtime.evaluate import Span
    from pgolf.settings import SettingsView


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

    def spans(self, num_tokens: int, seq_len: int) -> list[Span]:
        """Every target of whole windows once."""
        return chunk_spans(num_tokens, seq_len)


@hookimpl
def windows(settings: SettingsView) -> Component:
    """Chunks."""
    return Component(ChunkedWindows)
