"""Windows side by side: every target of whole windows once, and what is left over not at all."""

from itertools import pairwise

import pytest

from pgolf.runtime.evaluate import Span
from pgolf_plugins.eval.chunked_eval import ChunkedWindows


@pytest.mark.parametrize(("tokens", "length"), [(101, 20), (100, 20), (20, 20), (21, 20), (2, 1), (1, 1)])
def test_targets_are_scored_once_by_whole_windows(tokens, length):
    spans = ChunkedWindows().spans(tokens, length)
    assert all(isinstance(span, Span) and (span.first, span.end - span.start) == (0, length) for span in spans)
    scored = [target for span in spans for target in range(span.start, span.end)]
    assert scored == list(range((tokens - 1) // length * length))


def test_a_target_has_no_context_from_the_window_before():
    spans = ChunkedWindows().spans(101, 20)
    assert all(one.end == two.start for one, two in pairwise(spans)) and len(spans) == 5


def test_the_final_score_has_no_name_of_its_own():
    assert (ChunkedWindows.name, ChunkedWindows.label) == ("chunked_eval", "")
