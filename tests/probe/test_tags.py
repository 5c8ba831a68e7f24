"""Scores in tensors: shapes must fit, sums over one position stay scores."""

import numpy as np
import torch

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.tags import births_in, broadcast, groups_from, put, summed, tag_of, total
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 200, 1).tokens


def tagged(recorder, start=5):
    value = torch.rand(8) + 1.0
    put(value, recorder.give_birth(torch.randn(8, V), torch.from_numpy(STREAM[start : start + 8])))
    return value


def test_a_tag_of_another_shape_is_none():
    value = tagged(Recorder(STREAM, V))
    assert births_in(tag_of(value)).tolist() == list(range(8))
    put(value, torch.zeros(3, dtype=torch.int64))
    assert tag_of(value) is None and births_in(None).size == 0 and tag_of(3.0) is None


def test_sums():
    recorder = Recorder(STREAM, V)
    value, again = tagged(recorder), tagged(recorder)
    both = torch.stack([value, again])
    put(both, torch.stack([tag_of(value), tag_of(again)]))
    assert summed(recorder, "sum", both, 0, both.sum(0)).tolist() == list(range(8, 16))
    rows = summed(recorder, "mean", both, 1, both.mean(1))
    assert rows.shape == (2,) and rows[0].chunks[0][2] == 1 / 8
    assert total(tag_of(value), value * 0.0, 1.0, 0) is None
    assert groups_from(tag_of(value), value, 4)[2].single == 2


def test_two_scores_in_one_element():
    recorder = Recorder(STREAM, V)
    value, again, other = tagged(recorder), tagged(recorder), tagged(recorder, 50)
    assert broadcast(recorder, "add", [value, again], value).tolist() == list(range(8))
    assert broadcast(recorder, "add", [value, other], value) is None
    assert broadcast(recorder, "minimum", [value, again], value) is not None and len(recorder.choices) == 8
    assert np.array_equal(broadcast(recorder, "exp", [value], value), tag_of(value))
