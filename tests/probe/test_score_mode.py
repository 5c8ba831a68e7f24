"""Scores are followed through torch from where they are picked to where they are printed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pgolf.probe.inside.birth_recorder import Recorder
from pgolf.probe.inside.groups import Tracked, keep
from pgolf.probe.inside.score_mode import ScoreMode
from pgolf.probe.inside.tags import tag_of
from pgolf.probe.piece_file import make_pieces
from pgolf.probe.text_streams import make_stream

V = 320
STREAM = make_stream(make_pieces(V), 300, 1).tokens
TARGETS = torch.from_numpy(STREAM[1:129]).reshape(2, 64)
LOGITS = torch.randn(2, 64, V, generator=torch.Generator().manual_seed(0))
OWN = F.cross_entropy(LOGITS.double().reshape(-1, V), TARGETS.reshape(-1), reduction="none")


def followed(function):
    """position -> part of the number that the function gives."""
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        value = function()
        text = f"{value:.6f}"
    assert isinstance(value, Tracked) and recorder.reports[-1][2] == text
    found = {}
    for births, values, scale, _ in value.group.chunks:
        for position, part in zip(recorder.positions(births), values * scale, strict=True):
            found[int(position)] = found.get(int(position), 0.0) + float(part)
    assert sum(found.values()) == pytest.approx(float(value))
    return found


def flat_loss(reduction="none"):
    return F.cross_entropy(LOGITS.reshape(-1, V), TARGETS.reshape(-1), reduction=reduction)


def by_windows():
    total = torch.zeros((), dtype=torch.float64)
    for row in range(2):
        loss = F.cross_entropy(LOGITS[row], TARGETS[row])
        total += loss.detach().to(torch.float64) * 64
    return (total / 128).item()


def in_numpy():
    chance = np.exp(-flat_loss().reshape(2, 64).double().cpu().numpy())
    return keep(-np.log(0.5 * chance + 0.5 * chance).sum()) / 128


def by_documents():
    sums = torch.zeros(2, dtype=torch.float64).index_add_(
        0, torch.arange(2).repeat_interleave(64), flat_loss().double()
    )
    return sum(sums.tolist()) / 128


def in_tensors_of_totals():
    total = torch.tensor([keep(flat_loss().double().sum().item()), 128.0])
    return (total[0] / 128.0).item()


MEANS = {
    "windows": by_windows,
    "sum": lambda: flat_loss("sum").item() / 128,
    "mean": lambda: flat_loss().mean().item(),
    "gather": lambda: -LOGITS.log_softmax(-1).gather(-1, TARGETS[..., None]).squeeze(-1).mean().item(),
    "index": lambda: -LOGITS.reshape(-1, V).log_softmax(-1)[torch.arange(128), TARGETS.reshape(-1)].mean().item(),
    "nll_loss": lambda: F.nll_loss(LOGITS.reshape(-1, V).log_softmax(-1), TARGETS.reshape(-1)).item(),
    "mask": lambda: (flat_loss() * torch.ones(128)).sum().div(128).item(),
    "rows": lambda: torch.stack([flat_loss()[:64].sum(), flat_loss()[64:].sum()]).sum().item() / 128,
    "setitem": lambda: (
        torch.zeros(128).index_put((torch.arange(128),), torch.zeros(128)).copy_(flat_loss()).mean().item()
    ),
    "numpy": in_numpy,
    "documents": by_documents,
    "totals": in_tensors_of_totals,
    "numbers": lambda: sum(flat_loss().tolist()) / 128,
}


@pytest.mark.parametrize("name", MEANS)
def test_every_position_once(name):
    found = followed(MEANS[name])
    assert sorted(found) == list(range(1, 129))
    assert np.allclose([found[at] * 128 for at in range(1, 129)], OWN, atol=1e-4)


def test_rows_that_seem_to_go_on_in_each_other():
    """The last token of the first row is the one before the second row."""
    rows = torch.from_numpy(np.stack([STREAM[100:164], STREAM[201:265]]))
    rows[0, -1] = int(STREAM[200])
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        tag = tag_of(F.cross_entropy(LOGITS.reshape(-1, V), rows.to(torch.int64).reshape(-1).clone(), reduction="none"))
    positions = recorder.positions(tag.numpy())
    assert positions[:63].tolist() == list(range(100, 163)) and positions[63] == -1
    assert positions[64:].tolist() == list(range(201, 265))


def test_masked_scores_are_none():
    found = followed(lambda: torch.where(torch.arange(128) < 100, flat_loss(), torch.zeros(())).sum().item())
    assert sorted(found) == list(range(1, 101))


def test_a_choice_among_scores_is_noted():
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        loss = torch.minimum(
            flat_loss(), F.cross_entropy(2 * LOGITS.reshape(-1, V), TARGETS.reshape(-1), reduction="none")
        )
        stacked = torch.stack([flat_loss(), flat_loss()]).amin(0)
    assert len(recorder.choices) == 256 and (tag_of(loss) >= 0).all() and tag_of(stacked).shape == (128,)


def test_gradients_are_noted_with_their_leaves():
    recorder = Recorder(STREAM, V)
    weight = torch.zeros(1, V, requires_grad=True)
    with ScoreMode(recorder):
        F.cross_entropy(LOGITS[0] + weight, TARGETS[0]).backward()
        torch.autograd.grad(F.cross_entropy(LOGITS[1] + weight, TARGETS[1]), weight)
    events = [event for event in recorder.events if event["kind"] == "gradient"]
    assert [event["leaves"] for event in events] == [[[1, V]], [[1, V]]]
    assert events[0]["positions"] == list(range(1, 65)) and weight.grad is not None


def test_training_text_has_no_scores():
    recorder = Recorder(STREAM, V)
    with ScoreMode(recorder):
        loss = F.cross_entropy(LOGITS[0], torch.arange(64))
    assert tag_of(loss) is None and recorder.count == 0
