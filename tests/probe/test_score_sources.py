"""Every call that picks one token's value from a distribution gives birth to scores; calls of another kind are left alone."""

import pytest
import torch
import torch.nn.functional as F

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.score_sources import FLAT, ROW, SOURCES, keep_row
from pgolf.probe.inside.tags import births_in, tag_of
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 300, 1).tokens
TARGETS = torch.from_numpy(STREAM[1:65])
LOGITS = torch.randn(64, V, generator=torch.Generator().manual_seed(0))
AT = torch.arange(64)
PICKS = {
    "cross_entropy": (F.cross_entropy, (LOGITS, TARGETS), {"reduction": "none"}),
    "nll_loss": (F.nll_loss, (LOGITS.log_softmax(-1), TARGETS), {"reduction": "none"}),
    "gather": (torch.gather, (LOGITS, -1, TARGETS[:, None]), {}),
    "take_along_dim": (torch.take_along_dim, (LOGITS, TARGETS[:, None], -1), {}),
    "__getitem__": (torch.Tensor.__getitem__, (LOGITS, (AT, TARGETS)), {}),
}
OTHERS = {
    "cross_entropy": (F.cross_entropy, (LOGITS, LOGITS.softmax(-1)), {}),
    "gather": (torch.gather, (TARGETS.tolist(), 0, 1), {}),
    "__getitem__": (torch.Tensor.__getitem__, (TARGETS, 3), {}),
    "tensor": (torch.tensor, ([1.0, 2.0],), {}),
}


@pytest.mark.parametrize("name", PICKS)
def test_each_pick_is_a_birth_at_its_position(name):
    function, args, kwargs = PICKS[name]
    recorder = Recorder(STREAM, V)
    found = SOURCES[name](recorder, function, args, kwargs)
    assert torch.equal(found, function(*args, **kwargs))
    assert recorder.positions(births_in(tag_of(found))).tolist() == list(range(1, 65))


def test_a_mean_is_a_group_of_all_its_scores():
    recorder = Recorder(STREAM, V)
    found = SOURCES["cross_entropy"](recorder, F.cross_entropy, (LOGITS, TARGETS), {})
    (group,) = tag_of(found).reshape(-1)
    ((births, values, factor, _),) = group.chunks
    assert len(births) == 64 and factor == 1 / 64 and values.sum() * factor == pytest.approx(float(found), rel=1e-6)


@pytest.mark.parametrize("name", OTHERS)
def test_a_call_of_another_kind_is_none(name):
    function, args, kwargs = OTHERS[name]
    recorder = Recorder(STREAM, V)
    assert SOURCES[name](recorder, function, args, kwargs) is NotImplemented


def test_what_is_narrower_than_the_vocabulary_is_no_distribution():
    recorder = Recorder(STREAM, V)
    found = SOURCES["gather"](recorder, torch.gather, (LOGITS[:, :7], -1, TARGETS[:, None] % 7), {})
    assert tag_of(found) is None


def test_flat_tokens_remember_their_rows():
    rows = TARGETS.reshape(4, 16)
    for name in FLAT:
        flat = rows.reshape(-1)
        keep_row(name, rows, flat)
        assert flat.__dict__[ROW] == 16
    moved = flat.clone()
    keep_row("clone", flat, moved)
    assert moved.__dict__[ROW] == 16
    keep_row("reshape", LOGITS, LOGITS.reshape(-1))
    keep_row("item", flat, 3)
