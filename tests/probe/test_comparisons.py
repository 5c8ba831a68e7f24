"""Scores that are compared are noted, whatever compares them; a comparison of totals can come out the other way."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.crossings import of_list
from pgolf.probe.inside.groups import keep
from pgolf.probe.inside.score_mode import ScoreMode
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 300, 1).tokens
TARGETS = torch.from_numpy(STREAM[1:65])
LOGITS = torch.randn(64, V, generator=torch.Generator().manual_seed(0))


def losses(scale):
    return F.cross_entropy(scale * LOGITS, TARGETS, reduction="none")


# name -> the place of the least of two totals, of which the second is less.
TOTALS = {
    "numbers": lambda a, b: int(b.item() < a.item()),
    "numbers, the other way": lambda a, b: int(a.item() >= b.item()),
    "tensors": lambda a, b: int(b < a),
    "a tensor and a number": lambda a, b: int(b.item() < a),
    "argmin of tensors": lambda a, b: int(torch.stack([a, b]).argmin()),
    "argmin of numbers": lambda a, b: int(torch.tensor([a.item(), b.item()]).argmin()),
    "argsort": lambda a, b: int(torch.stack([a, b]).argsort()[0]),
    "sort": lambda a, b: int(torch.stack([a, b]).sort().indices[0]),
    "argmax of what is negative": lambda a, b: int(torch.stack([-a, -b]).argmax()),
    "a list": lambda a, b: int(of_list(np.argmin, Recorder.last, 1.0)([a.item(), b.item()])),
    "a list in order": lambda a, b: int(of_list(np.argsort, Recorder.last, 1.0)([a.item(), b.item()])[0]),
    "an array of totals": lambda a, b: int(torch.stack([a, b]).numpy().argmin()),
    "arrays": lambda a, b: int(b.numpy()[()] < a.numpy()[()]),
}


def placed(way, contrary):
    recorder = Recorder.last = Recorder(STREAM, V)
    recorder.contrary = contrary
    with ScoreMode(recorder):
        found = TOTALS[way](losses(2.0).double().sum(), losses(0.5).double().sum())
    return found, [event for event in recorder.events if event["kind"] == "compare"]


@pytest.mark.parametrize("way", TOTALS)
def test_totals(way, monkeypatch):
    monkeypatch.setattr(Recorder, "last", None, raising=False)
    found, events = placed(way, 0)
    assert found == 1 and [(event["positions"], event["number"]) for event in events] == [(64, 1)]
    assert events[0]["some"] == [1, 10, 19, 28, 37, 46, 55, 64]
    assert placed(way, 1)[0] == 0 and placed(way, 2)[0] == 1


ONE_BY_ONE = {
    "a mask": lambda a, b: b < a,
    "argmin": lambda a, b: torch.stack([a, b]).argmin(0),
    "sort": lambda a, b: torch.stack([a, b]).sort(0).values[0],
    "argmin of arrays": lambda a, b: np.stack([a.numpy(), b.numpy()]).argmin(0),
    "arrays": lambda a, b: b.numpy() < a.numpy(),
    "numbers": lambda a, b: [min(one, other) for one, other in zip(a.tolist(), b.tolist(), strict=True)],
}


@pytest.mark.parametrize("way", ONE_BY_ONE)
def test_one_by_one(way):
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        ONE_BY_ONE[way](losses(2.0), losses(0.5))
    assert {*recorder.choices} == {*range(128)} and "at line" in recorder.choices[0]


def test_what_is_no_choice():
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        scores = losses(1.0)
        assert scores.mean().item() < 1e9 and bool((scores < 1e9).all()) and not bool((scores < scores).any())
        assert keep(scores[:32].sum()) > 0.0 < keep(scores[32:].sum()) and scores[:32].sum() != scores[32:].sum()
        assert (scores[:32] < scores[32:]).shape == (32,) and scores.argmin() >= 0
        sorted(scores.tolist())
    assert recorder.choices == {} and recorder.events == []
