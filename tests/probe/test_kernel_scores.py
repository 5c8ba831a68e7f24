"""Losses that a kernel writes are found by what it took and gave."""

import torch
from test_births import STREAM

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.kernel_scores import note_losses
from pgolf.probe.inside.tags import tag_of


def made(cap=None):
    recorder = Recorder(STREAM, 320)
    targets = torch.from_numpy(STREAM[10:40])
    rows = 9 * torch.randn(30, 320, generator=torch.Generator().manual_seed(1))
    shown = rows if cap is None else cap * torch.tanh(rows / cap)
    losses = torch.nn.functional.cross_entropy(shown, targets, reduction="none")
    note_losses(recorder, [rows, targets, losses, rows.stride(0), 320, *([] if cap is None else [cap])])
    return recorder, losses


def test_plain_and_capped_losses():
    for cap in (None, 15.0):
        recorder, losses = made(cap)
        assert recorder.positions(tag_of(losses).numpy()).tolist() == [*range(10, 40)]
        assert torch.allclose(torch.from_numpy(recorder.births[0][1]), losses.double(), atol=1e-4)


def test_other_kernels_give_no_scores():
    recorder = Recorder(STREAM, 320)
    note_losses(recorder, [torch.randn(30, 320), torch.randn(30), torch.randn(30)])
    note_losses(recorder, [torch.randn(30, 7), torch.from_numpy(STREAM[:30]), torch.randn(30)])
    assert recorder.births == []
