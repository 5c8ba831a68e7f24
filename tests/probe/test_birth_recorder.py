"""Births are numbered, told by positions, and saved."""

import json

import numpy as np
import torch

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Group
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 200, 1).tokens


def test_births_of_logits_and_of_probabilities_are_the_same(tmp_path):
    recorder = Recorder(STREAM, V)
    rows, targets = torch.randn(20, V), torch.from_numpy(STREAM[5:25])
    first, second = recorder.give_birth(rows, targets), recorder.give_birth(rows.softmax(-1), targets)
    assert first.tolist() == list(range(20)) and second.tolist() == list(range(20, 40))
    assert recorder.positions(second.numpy()).tolist() == list(range(5, 25))
    assert np.allclose(recorder.births[0][1:3], recorder.births[1][1:3], atol=1e-3)
    recorder.report(1.5, "1.5000", Group([(first.numpy(), np.ones(20), 0.05, 3)]))
    recorder.save(tmp_path / "record.npz", {"error": ""})
    saved, told = np.load(tmp_path / "record.npz"), json.loads((tmp_path / "record.json").read_text())
    assert saved["births"].shape == (5, 40) and saved["report0"].shape == (3, 20)
    assert told["reports"][0]["text"] == "1.5000" and told["reports"][0]["lines"] == [3]


def test_other_tokens_have_none():
    recorder = Recorder(STREAM, V)
    assert recorder.give_birth(torch.randn(20, V), torch.arange(20)) is None
    assert recorder.is_distribution(V) and not recorder.is_distribution(V - 1) and not recorder.is_distribution(5 * V)


def test_updates_say_what_they_used():
    recorder = Recorder(STREAM, V)
    births = recorder.give_birth(torch.randn(20, V), torch.from_numpy(STREAM[5:25])).numpy()
    recorder.learnt(births[:3], [[2, 2]])
    recorder.stepped([[2, 2]])
    recorder.stepped([[2, 2]])
    told = [(event["kind"], event["positions"]) for event in recorder.events]
    assert told == [("gradient", [5, 6, 7]), ("step", [5, 6, 7]), ("step", [])]
