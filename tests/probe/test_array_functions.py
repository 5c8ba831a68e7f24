"""Functions of NumPy keep scores, put them elsewhere, or add them up."""

import numpy as np
import pytest
from test_tracked_arrays import ROWS, STREAM, scores

from pgolf.probe.inside.array_functions import FUNCTIONS
from pgolf.probe.inside.groups import Tracked
from pgolf.probe.inside.tracked_arrays import TrackedArray

# name -> (the call, the positions that are in its result).
MOVED = {
    "reshape": (lambda a: np.reshape(a, (8, 8))[0], range(1, 9)),
    "swapaxes": (lambda a: np.swapaxes(np.reshape(a, (8, 8)), 0, 1)[0], range(1, 65, 8)),
    "split": (lambda a: np.split(a, 4)[1], range(17, 33)),
    "array_split": (lambda a: np.array_split(a, 3)[2], range(44, 65)),
    "append": (lambda a: np.append(a[:2], a[60:]), (1, 2, 61, 62, 63, 64)),
    "stack": (lambda a: np.stack([a[:2], a[2:4]]), (1, 2, 3, 4)),
    "clip": (lambda a: np.clip(a, 0, 99)[:3], (1, 2, 3)),
    "where": (lambda a: np.where(np.arange(4) < 4, a[:4], 0.0), (1, 2, 3, 4)),
}


@pytest.mark.parametrize("name", MOVED)
def test_what_moves(name):
    recorder, losses = scores()
    call, wanted = MOVED[name]
    found = call(losses)
    assert sorted(at for at in recorder.positions(found.births).ravel().tolist() if at >= 0) == [*wanted]


def test_an_order_goes_with_its_scores():
    _, losses = scores()
    found = np.sort(losses)
    assert found.births.tolist() == np.argsort(losses.view(np.ndarray)).tolist()


@pytest.mark.parametrize(
    "call",
    [np.sum, np.average, lambda a: np.dot(a, np.ones(64)), lambda a: np.nansum(a) / 64, lambda a: np.sum(a, axis=0)],
)
def test_sums(call):
    _, losses = scores()
    found = call(losses)
    assert isinstance(found, Tracked) and float(found) == pytest.approx(float(call(losses.view(np.ndarray))))
    ((births, values, scale, _),) = found.group.chunks
    assert sorted(births.tolist()) == [*range(64)] and float((values * scale).sum()) == pytest.approx(float(found))


def test_deviations_are_none():
    _, losses = scores()
    assert not isinstance(losses.std(), Tracked) and np.std(losses) == pytest.approx(np.std(losses.view(np.ndarray)))
    assert {"take_along_axis", "argmin", "concatenate"} <= {*FUNCTIONS}


def test_picks_along_an_axis_that_are_none():
    recorder, _ = scores()
    rows = TrackedArray.of(ROWS.copy(), None, recorder)
    count = recorder.count
    assert type(np.take_along_axis(rows, np.zeros((64, 2), np.int64), -1)) is np.ndarray and recorder.count == count
    assert np.take_along_axis(rows, STREAM[1:65, None], -1).births.shape == (64, 1)
