"""Scores are followed through NumPy."""

import numpy as np
import torch

from pgolf.probe.inside.array_functions import FUNCTIONS
from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.score_mode import ScoreMode
from pgolf.probe.inside.tracked_arrays import TrackedArray
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 300, 1).tokens
ROWS = np.random.default_rng(0).dirichlet(np.ones(V), 64)


def scores():
    recorder = Recorder(STREAM, V)
    TrackedArray.functions = FUNCTIONS
    rows = TrackedArray.of(ROWS.copy(), None, recorder)
    return recorder, -np.log(rows[np.arange(64), STREAM[1:65]])


def test_picking_from_rows_is_a_birth():
    recorder, losses = scores()
    assert recorder.positions(losses.births).tolist() == list(range(1, 65))
    along = np.take_along_axis(TrackedArray.of(ROWS.copy(), None, recorder), STREAM[1:65, None], axis=-1)
    assert recorder.positions(along.births[:, 0]).tolist() == list(range(1, 65))
    assert np.allclose(recorder.births[0][1], losses.view(np.ndarray))


def test_a_pick_is_one_birth_while_calls_of_torch_are_followed():
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        losses = TrackedArray.of(ROWS.copy(), None, recorder)[np.arange(64), STREAM[1:65]]
    assert recorder.count == 64 and losses.births.tolist() == [*range(64)]
    assert type(recorder.positions(losses.births)) is np.ndarray


def test_what_moves_and_what_sums():
    _, losses = scores()
    parts = np.concatenate([losses[:10], losses[10:]]).reshape(8, 8).T.astype(np.float32)
    assert parts.births.shape == (8, 8) and parts[2, 1].group.single == int(losses.births[10])
    total = np.where(np.arange(64) < 32, losses, 0.0).sum()
    assert len(total.group.chunks[0][0]) == 32
    assert np.mean(losses).group.chunks[0][2] == 1 / 64


def test_two_scores_of_one_position():
    recorder, losses = scores()
    rows = TrackedArray.of(ROWS.copy(), None, recorder)
    other = -np.log(rows[np.arange(64), STREAM[1:65]])
    assert (np.minimum(losses, other).births == losses.births).all() and len(recorder.choices) == 64
    assert np.add(losses[:8], other[8:16]).births is None


def test_setting_elements():
    _, losses = scores()
    changed = losses.copy()
    changed[:4] = 1.0
    assert (changed.births[:4] == -1).all() and (changed.births[4:] == losses.births[4:]).all()
    assert torch.is_tensor(torch.from_numpy(np.asarray(losses).view(np.ndarray)))
