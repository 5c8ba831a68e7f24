"""Chunk by chunk: when learning happens, what it is given, and whose gradient a step finds."""

import torch
from ttt import sgd_session

from pgolf.runtime.chunks import ChunkSizes, learn_chunk, split_chunks, walk_chunks
from pgolf.runtime.evaluate import Span
from pgolf.runtime.tally import NEVER, Tally

SIZES = ChunkSizes(160, 2, 4)


def make(tokens=500):
    session = sgd_session(eval_stride=16)
    session.tokens = session.tokens[:tokens].clone()
    session.model.eval()
    session.freeze()
    return session, Tally(session)


def test_a_window_belongs_to_the_chunk_of_its_first_scored_target():
    spans = [Span(0, 8, 0), Span(4, 12, 4), Span(8, 16, 4), Span(12, 17, 4)]
    assert split_chunks(spans, 18, 8) == [[spans[0]], [spans[1], spans[2]], [spans[3]]]


def test_a_chunk_is_scored_and_nothing_behind_its_windows_when_it_is_learnt_from():
    (session, tally), seen = make(), []

    def learn(progress, first):
        scored = (tally.scored_at > 0).nonzero().flatten()
        seen.append((progress, first, int(scored.min()), int(scored.max())))

    assert walk_chunks(session, tally, SIZES, learn) == "learnt from 3 of 3 chunks"
    assert [entry[:3] for entry in seen] == [(0.0, 0, 1), (1 / 3, 160, 1), (2 / 3, 320, 1)]
    assert all(first + 160 <= last < first + 160 + 16 for _, first, _, last in seen)
    assert (tally.scored_at[1:] > 0).all() and (tally.learned_at == NEVER).all()


def test_without_time_nothing_is_learnt():
    session, tally = make()
    session.settings = session.settings._replace(max_eval_seconds=1e-9)
    assert walk_chunks(session, tally, SIZES, lambda progress, first: 1 / 0) == "learnt from 0 of 3 chunks"


def test_a_step_finds_the_gradient_of_the_mean_over_its_rows():
    session, tally = make()
    tally.scored_at[1:] = 1
    weights, found = session.thaw(), []

    def step():
        found.append([tensor.grad.clone() for tensor in weights])
        for tensor in weights:
            tensor.grad = None

    learn_chunk(session, tally, SIZES, 160, weights, step)
    assert len(found) == 4, "two epochs of a step with four rows and one with the fifth"
    ids = session.tokens[160:321].long()
    rows = torch.stack([ids[at : at + 33] for at in range(0, 160, 32)])
    for number, part in enumerate((rows[:4], rows[4:]) * 2):
        wanted = torch.autograd.grad(session.model(part[:, :-1], part[:, 1:], ("loop",)), weights, allow_unused=True)
        for tensor, gradient in zip(found[number], wanted, strict=True):
            torch.testing.assert_close(tensor, torch.zeros_like(tensor) if gradient is None else gradient)


def test_an_adapter_acts_in_scores_and_in_learning():
    session, tally = make()

    class Shift:
        sites = frozenset(("head",))
        calls = 0

        def delta(self, x, site, position):
            self.calls += 1
            return torch.zeros(session.settings.vocab_size)

    adapter, scored = Shift(), []

    def learn(progress, first):
        scored.append(adapter.calls)
        learn_chunk(session, tally, SIZES, first, session.thaw(), lambda: None, adapter)
        session.freeze()

    walk_chunks(session, tally, SIZES, learn, adapter)
    assert scored[0] > 0 and adapter.calls >= scored[-1] + 4
