"""The tally: sums against a plain computation, and everything that it must refuse."""

import numpy as np
import pytest
import torch
from models import built, tokens
from sessions import make_session

from pgolf.runtime.evaluate import chunk_spans, run_evaluation, score_spans, span_rows
from pgolf.runtime.tally import NEVER, Tally, write_marks
from pgolf.score_ledger import read_score_ledger

SMALL = {"num_layers": 2, "train_seq_len": 8}


def session_of(length=33, **slots):
    """A session over `length` random tokens, in eval mode."""
    session = make_session(built(**SMALL), tokens(1, length - 1)[0][0].new_tensor(range(4, 4 + length)), **slots)
    session.model.eval()
    return session


def rows(*spans, width=8):
    """(places, scored) of windows given as (start, end, first)."""
    return span_rows([tuple(span) for span in spans], len(spans), width)


class Bias:
    """An adapter at the head with one number per token."""

    def __init__(self, size=256):
        self.sites = frozenset(["head"])
        self.bias = torch.zeros(size, requires_grad=True)

    def delta(self, x, site, position):
        return self.bias.expand(*x.shape[:2], -1)


def test_the_sums_are_those_of_a_plain_forward():
    session = session_of()
    score, marks = score_spans(session, chunk_spans(33, 8))
    ids = session.tokens.long()
    session.model.eval()
    with torch.no_grad():
        nll = session.model(ids[:32].view(4, 8), ids[1:].view(4, 8), reduction="none")
    assert score.tokens == 32
    assert score.val_loss == pytest.approx(nll.double().mean().item(), rel=1e-12)
    assert score.val_bpb == pytest.approx(nll.double().sum().item() / np.log(2) / (3 * 32), rel=1e-12)
    assert marks.tolist() == [0] + [1] * 32


def test_a_row_gives_the_targets_of_the_stream_and_no_graph_without_an_adapter():
    tally = Tally(session_of())
    places, scored = rows((0, 8, 0), (8, 12, 2))
    found = tally.score(places, scored)
    assert not found.nll.requires_grad and found.targets.tolist()[1] == [9, 10, 11, 12, 0, 0, 0, 0]
    assert tally.scored_at.nonzero().flatten().tolist() == [*range(1, 9), 11, 12]
    assert tally.score(*rows((8, 10, 0)), Bias()).nll.requires_grad
    with torch.no_grad():
        assert not tally.score(*rows((12, 14, 0)), Bias()).nll.requires_grad


@pytest.mark.parametrize("later", [((0, 8, 0),), ((4, 12, 0),), ((8, 16, 0), (12, 20, 0))])
def test_a_target_is_scored_once(later):
    tally = Tally(session_of())
    tally.score(*rows((0, 8, 0)))
    with pytest.raises(ValueError, match=r"^target \d+ of the validation stream is scored twice"):
        tally.score(*rows(*later))


def test_a_target_may_not_be_given_what_lies_after_it():
    tally = Tally(session_of())
    for row in ([20, 5, 6], [0, 9, 0, 4], [-3, 1, 2]):
        places = torch.tensor([row])
        with pytest.raises(ValueError, match=r"stands after a later one|is outside"):
            tally.score(places, torch.ones(1, places.size(1) - 1, dtype=torch.bool))


def test_padding_and_the_first_token_are_no_targets():
    tally = Tally(session_of())
    places, scored = rows((0, 4, 0))
    with pytest.raises(ValueError, match="target 0 of the validation stream is scored twice, or first"):
        tally.score(places, torch.ones_like(scored))


def test_learning_needs_scores_of_the_whole_row():
    tally, adapter = Tally(session_of()), Bias()
    places, scored = rows((0, 8, 4))
    found = tally.score(places, scored, adapter)
    with pytest.raises(ValueError, match="target 1 of the validation stream is learnt from before it is scored"):
        tally.learn(found, scored.float())
    assert adapter.bias.grad is None
    tally.score(*rows((0, 4, 0)))
    tally.learn(found, scored.float())
    (grad,) = torch.autograd.grad(
        tally.evaluated.model(
            tally.evaluated.tokens[None, :8].long(),
            tally.evaluated.tokens[None, 1:9].long(),
            reduction="none",
            adapter=adapter,
        )[:, 4:].sum(),
        adapter.bias,
    )
    torch.testing.assert_close(adapter.bias.grad, grad)
    assert tally.learned_at[:10].tolist() == [NEVER] + [3] * 8 + [NEVER]


def test_replay_needs_scored_targets():
    tally = Tally(session_of())
    places, scored = rows((0, 8, 0))
    with pytest.raises(ValueError, match="is replayed before it is scored"):
        tally.replay(places)
    first = tally.score(places, scored)
    tally.evaluated.thaw()
    again = tally.replay(places)
    assert again.nll.requires_grad and torch.equal(first.nll, again.nll.detach())


def test_base_weights_change_by_declared_updates_of_what_may_change():
    session = session_of()
    frozen = session.parameters[-1].stored_names()[0]
    session.parameters = tuple(
        record._replace(adapt=False) if frozen in record.stored_names() else record for record in session.parameters
    )
    session.freeze()
    tally = Tally(session)
    places, scored = rows((0, 8, 0))
    tally.score(places, scored)
    weights = session.thaw()
    assert not session.model.get_parameter(frozen).requires_grad and weights
    tally.learn(tally.replay(places), scored.float())
    assert session.model.get_parameter(frozen).grad is None
    with torch.no_grad():
        weights[0].add_(weights[0].grad, alpha=-0.1)
    tally.score(*rows((8, 16, 0)))
    with torch.no_grad():
        weights[0].mul_(0.5)
    with pytest.raises(ValueError, match="has changed, wanted only records"):
        tally.score(*rows((16, 24, 0)))
    tally = Tally(session)
    with torch.no_grad():
        session.model.get_parameter(frozen).mul_(0.5)
    with pytest.raises(ValueError, match=f"^{frozen} has changed"):
        tally.score(places, scored)


class Half:
    """An evaluation that leaves the last target out, or not."""

    name = label = "half"

    def __init__(self, end):
        self.end = end

    def __call__(self, session, tally):
        assert not any(tensor.requires_grad for tensor in session.model.parameters())
        session.thaw()
        tally.score(*rows((0, self.end, 0), width=32))


def test_an_evaluation_must_score_everything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("logs").mkdir()
    session = session_of(evaluation=Half(31))
    with pytest.raises(ValueError, match=r"^target 32 of the validation stream is not scored$"):
        run_evaluation(session)
    session = session_of(evaluation=Half(32))
    assert run_evaluation(session).tokens == 32
    assert all(tensor.requires_grad for tensor in session.model.parameters()) and session.model.training
    ledger = read_score_ledger("logs/run.scores.npz")
    assert ledger.problems() == [] and ledger.learned() == 0
    assert session.ledger.receipt("half") == "32 targets"


def test_windows_must_cover_everything_once():
    with pytest.raises(ValueError, match="a target of the validation stream is scored twice"):
        score_spans(session_of(), [*chunk_spans(33, 8), chunk_spans(33, 8)[1]])
    with pytest.raises(ValueError, match=r"^target 9 of the validation stream is not scored$"):
        score_spans(session_of(), [span for span in chunk_spans(33, 8) if span.start != 8])


def test_the_score_ledger_is_checked_again_when_it_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("logs").mkdir()
    session = session_of()
    scored_at = torch.tensor([0, 1, 0, 5], dtype=torch.int32)
    write_marks(session, scored_at, torch.tensor([NEVER, 1, NEVER, 6], dtype=torch.int32))
    assert read_score_ledger("logs/run.scores.npz").problems() == [
        "1 targets are not scored, the first at 2",
        "1 tokens are learnt from before they are scored, the first at 1",
    ]
    for content in (b"", b"PK nonsense", b"\x93NUMPY"):
        tmp_path.joinpath("bad.npz").write_bytes(content)
        with pytest.raises(ValueError, match="not a score ledger"):
            read_score_ledger("bad.npz")
    np.savez_compressed("other.npz", scored_at=np.zeros((2, 2)))
    with pytest.raises(ValueError, match="wanted int32"):
        read_score_ledger("other.npz")


def test_seconds_left():
    session = session_of()
    assert 590 < Tally(session).seconds_left() <= 600
    session.settings = session.settings._replace(max_eval_seconds=0.0)
    assert Tally(session).seconds_left() == float("inf")


def test_time_has_no_end_where_kernels_are_deterministic():
    tally = Tally(session_of())
    torch.use_deterministic_algorithms(True)
    try:
        assert tally.seconds_left() == float("inf")
    finally:
        torch.use_deterministic_algorithms(False)


def test_sums_have_equal_bits_in_any_order():
    """Rows one by one, forwards and backwards, add up to the very same float64."""
    spans, found = chunk_spans(33, 8), set()
    for order in (spans, spans[::-1], spans[1:] + spans[:1]):
        tally = Tally(session_of())
        for span in order:
            tally.score(*rows(span))
        found.add(tally.sums[0].item())
    assert len(found) == 1


def test_a_loss_that_is_no_number_stays_none():
    session = session_of()
    with torch.no_grad():
        session.model.get_parameter("tok_emb.weight").fill_(float("nan"))
    tally = Tally(session)
    tally.score(*rows((0, 8, 0)))
    assert tally.sums[0].isnan()


def test_the_forecast_is_made_of_what_each_shape_took():
    tally = Tally(session_of())
    tally.planned, tally.done = {(4, 8): 10, (4, 16): 6, (4, 32): 2.5}, {(4, 8): 4, (4, 16): 6}
    assert tally.forecast() is None, "nothing is timed"
    tally.timed = {(4, 8): (6.0, 3)}
    assert tally.forecast() is None, "short rows say nothing of long ones"
    tally.timed[4, 32] = (20.0, 2)
    assert tally.forecast() == 6 * 2 + 2.5 * 10
    assert tally.forecast(more=256) == 37 + 256 * 10 / (4 * 32)
    tally.timed = {(4, 32): (20.0, 2)}
    assert tally.forecast() == 6 * 10 + 2.5 * 10, "what is not timed takes at most as long as longer rows"
    tally.done = {(4, 8): 11, (4, 16): 6, (4, 32): 3}
    assert tally.forecast() == 0
    assert Tally(session_of()).forecast() == 0 and Tally(session_of()).forecast(more=5) is None


def test_learning_stops_when_the_rest_just_fits_and_goes_on_when_that_was_wrong():
    session = session_of()
    session.log = lambda line: lines.append(line)
    lines, tally = [], Tally(session)
    tally.planned, tally.timed = {(4, 8): 30}, {(4, 8): (10.0, 1)}
    for left, learns in ((301.0, True), (300.0, False), (310.0, False), (340.0, True), (1e-9, False), (-1.0, False)):
        tally.seconds_left = lambda left=left: left
        assert tally.may_learn() == tally.learning == learns
    assert lines == [
        "eval: no more learning: scoring the rest takes about 300 s, 300 s are left",
        "eval: learning again: scoring the rest takes about 300 s, 340 s are left",
        "eval: no more learning: scoring the rest takes about 300 s, 0 s are left",
    ]
    assert not tally.all_may_learn(0)


def test_what_is_not_known_stops_nothing_until_time_is_over():
    tally = Tally(session_of())
    tally.planned = {(4, 8): 30}
    tally.seconds_left = lambda: 1e-6
    assert tally.may_learn() and tally.may_learn(more=10**9)
    tally.seconds_left = lambda: 0.0
    assert not tally.may_learn()


def test_the_first_of_a_shape_is_not_timed_unless_it_was_rehearsed(monkeypatch):
    session, clock = session_of(), [0.0]
    tally = Tally(session)
    monkeypatch.setattr(tally, "time_now", lambda: clock.append(clock[-1] + 1.0) or clock[-1])
    tally.score(*rows((0, 4, 0)))
    assert tally.timed == {} and sum(tally.done.values()) == 1
    tally.score(*rows((4, 8, 0)))
    ((shape, timed),) = tally.timed.items()
    assert timed == (1.0, 1) and tally.done == {shape: 2}
    warm = Tally(session)
    warm.warm.add(shape)
    monkeypatch.setattr(warm, "time_now", lambda: clock.append(clock[-1] + 1.0) or clock[-1])
    warm.score(*rows((0, 4, 0)))
    assert warm.timed == {shape: (1.0, 1)}
