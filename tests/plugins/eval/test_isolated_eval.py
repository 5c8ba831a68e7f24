"""Documents on their own: the scores of a plain loop over documents, and what other documents cannot change."""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models import built, scramble
from sessions import make_session
from ttt import nll_of

from pgolf.runtime.documents import Document, find_documents
from pgolf.runtime.tally import Tally, close_marks
from pgolf_plugins.eval.isolated_eval import IsolatedEval

LENGTH = 16


@functools.cache
def model():
    made = built(
        "isolated_eval", "smear_gate_v3", train_seq_len=LENGTH, num_layers=2, isolated_stride=5, isolated_widths=4
    )
    scramble(made.model)
    return made


def stream(seed=3):
    """Documents of 2 to 40 tokens, text before the first BOS, empty documents; it ends with a BOS."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(2, 256, (300,), generator=generator)
    tokens[[3, 9, 10, 11, 28, 30, 70, 100, 117, 134, 150, 230, 299]] = 1
    return tokens


def run(tokens, order=None):
    """(session, nll of every target, tally); `order` stands for how ranks take turns."""
    session = make_session(model(), tokens, evaluation=model().program.evaluation)
    if order is not None:
        session.share_work = lambda count: order(range(count))
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return session, nll_of(session, tally), tally


def test_scores_are_those_of_each_document_alone():
    """A document of D tokens at once while it fits; further on, each target with the window that the strides give."""
    tokens = stream()
    session, found, _ = run(tokens)
    for start, length in find_documents(session.tokens, 1):
        for target in range(length - 1):
            end = min(target + 1 if target < LENGTH else target + 5 - (target - LENGTH) % 5, length - 1)
            ids = tokens[None, start + max(0, end - LENGTH) : start + end + 1]
            with torch.no_grad():
                nll = session.model(ids[:, :-1], ids[:, 1:], reduction="none")[0]
            wanted = nll[target - end]
            torch.testing.assert_close(found[start + target], wanted, rtol=1e-5, atol=1e-5)


def test_no_score_depends_on_another_document_or_on_what_comes_later():
    tokens = stream()
    before = run(tokens)[1]
    for start, length in find_documents(tokens, 1)[4:9:2]:
        other = tokens.clone()
        place = start + length // 2
        other[place] = 77 if tokens[place] != 77 else 78
        moved = ((run(other)[1] != before).nonzero().flatten() + 1).tolist()
        assert place in moved and set(moved) <= set(range(place, start + length)), "from there on, in this document"


def test_every_target_is_scored_once_in_few_shapes():
    session, found, tally = run(stream())
    assert not found.isnan().any()
    assert close_marks(session, tally.scored_at, tally.sums, tally.begin).tokens == 299
    assert set(tally.done) == {(4 * LENGTH // width, width) for width in (2, 4, 8, 16)}


def test_who_takes_which_batch_changes_no_bit():
    plain = run(stream())[1]
    assert torch.equal(run(stream(), reversed)[1], plain)


@given(st.integers(2, 200), st.integers(1, 40), st.integers(1, 50))
def test_windows_cover_a_document_with_all_the_context_there_is(tokens, length, stride):
    seen = []
    for start, end, first in IsolatedEval(1, stride, 1).spans(Document(7, tokens), length):
        assert 7 <= start < end < 7 + tokens and (start == 7 or end - start == length)
        seen += range(start + first, end)
    assert seen == list(range(7, 7 + tokens - 1))


@pytest.mark.parametrize("tokens", [[5, 6, 7], [1, 3], [9, 1], [1, 1, 1, 5, 1]])
def test_odd_streams_are_scored_whole(tokens):
    session, _, tally = run(torch.tensor(tokens))
    assert close_marks(session, tally.scored_at, tally.sums, tally.begin).tokens == len(tokens) - 1
