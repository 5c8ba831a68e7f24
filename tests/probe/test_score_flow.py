"""What becomes of scores: every kind of call in the table, each against the positions that its result must hold."""

import numpy as np
import pytest
import torch

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.score_flow import FLOWS, Call, flat, follow
from pgolf.probe.inside.score_sources import SOURCES
from pgolf.probe.inside.tags import births_in, tag_of
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 300, 1).tokens
TARGETS = torch.from_numpy(STREAM[1:9])
LOGITS = torch.randn(8, V, generator=torch.Generator().manual_seed(0))


def fresh():
    """(recorder, scores (8,) of positions 1 to 8)."""
    recorder = Recorder(STREAM, V)
    kwargs = {"reduction": "none"}
    function = torch.nn.functional.cross_entropy
    return recorder, SOURCES["cross_entropy"](recorder, function, (LOGITS, TARGETS), kwargs)


def positions(recorder, value):
    """Sorted positions in a tensor; [] for none."""
    return sorted(int(at) for at in recorder.positions(births_in(tag_of(value))) if at >= 0)


def call(recorder, name, *args, **kwargs):
    """The result of a call of a tensor's method or of torch, followed."""
    function = getattr(torch.Tensor, name, None) or getattr(torch, name)
    out = function(*args, **kwargs)
    follow(Call(recorder, function, name, args, kwargs, out))
    return out


CASES = {
    "sum": (lambda s: (s,), {}, range(1, 9)),
    "mean": (lambda s: (s,), {}, range(1, 9)),
    "cat": (lambda s: ([s, torch.zeros(2), s[:0]],), {}, range(1, 9)),
    "reshape": (lambda s: (s, (2, 4)), {}, range(1, 9)),
    "clone": (lambda s: (s,), {}, range(1, 9)),
    "double": (lambda s: (s,), {}, range(1, 9)),
    "mul": (lambda s: (s, 2.0), {}, range(1, 9)),
    "dot": (lambda s: (s, torch.ones(8)), {}, range(1, 9)),
    "index_select": (lambda s: (s, 0, torch.tensor([1, 3])), {}, (2, 4)),
    "narrow": (lambda s: (s, 0, 2, 3), {}, (3, 4, 5)),
    "zeros_like": (lambda s: (torch.zeros(8),), {}, ()),
    "ones_like": (lambda s: (s,), {}, ()),
    "new_zeros": (lambda s: (s, 4), {}, ()),
    "index_put_": (lambda s: (torch.zeros(9), (torch.arange(8),), s), {"accumulate": True}, ()),
    "index_put": (lambda s: (torch.zeros(9), (torch.arange(8),), s, True), {}, ()),
}


@pytest.mark.parametrize("name", CASES)
def test_the_result_holds_these_positions(name):
    recorder, scores = fresh()
    make, kwargs, wanted = CASES[name]
    assert positions(recorder, call(recorder, name, *make(scores), **kwargs)) == list(wanted)


def test_a_vector_is_filled_by_copying_storing_and_adding():
    recorder, scores = fresh()
    whole, part, sums = torch.zeros(8), torch.zeros(10), torch.zeros(2)
    call(recorder, "copy_", whole, scores)
    call(recorder, "__setitem__", part, slice(0, 8), scores)
    call(recorder, "index_add_", sums, 0, torch.tensor([0, 1] * 4), scores)
    assert positions(recorder, whole) == positions(recorder, part) == positions(recorder, sums) == list(range(1, 9))
    assert [len(group.chunks) for group in tag_of(sums)] == [4, 4]


def test_sums_add_up_and_are_scaled():
    recorder, scores = fresh()
    total = call(recorder, "sum", scores)
    more = call(recorder, "add", total, call(recorder, "sum", scores))
    half = call(recorder, "div", more, 2.0)
    (group,) = tag_of(half).reshape(-1)
    value = sum((values * factor).sum() for _, values, factor, _ in group.chunks)
    assert value == pytest.approx(float(scores.sum()), rel=1e-6)
    gone = call(recorder, "sub", half, half)
    assert sum((values * factor).sum() for _, values, factor, _ in tag_of(gone).reshape(-1)[0].chunks) == pytest.approx(
        0
    )
    assert tag_of(call(recorder, "exp", half)) is None, "no sum of scores any more"


def test_the_least_of_two_scores_of_a_position_is_noted_as_a_choice():
    recorder, scores = fresh()
    function = torch.nn.functional.cross_entropy
    again = SOURCES["cross_entropy"](recorder, function, (LOGITS * 2, TARGETS), {"reduction": "none"})
    both = call(recorder, "stack", [scores, again])
    least = torch.min(both, 0)
    follow(Call(recorder, torch.min, "min", (both, 0), {}, least))
    assert positions(recorder, least[0]) == list(range(1, 9)) and len(recorder.choices) == 8


def test_every_name_has_one_flow_and_arguments_in_lists_are_seen():
    assert all(callable(flow) for flow in FLOWS.values()) and {
        "sum",
        "cat",
        "copy_",
        "gather",
        "to",
        "min",
        "dot",
    } <= set(FLOWS)
    assert list(flat((1, [2, 3]), {"key": (4,)})) == [1, 2, 3, 4]
    assert np.array_equal(TARGETS.numpy(), STREAM[1:9])
