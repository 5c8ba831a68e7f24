"""The logit bias against a loop over logits in NumPy; what it learns from is scored; the hidden form shifts the stream."""

import numpy as np
import pytest
import torch
from models import resolved
from ttt import nll_of, sgd_session

from pgolf.errors import PgolfError
from pgolf.runtime.tally import NEVER, Tally

TUNED = {"etlb_lr": 3.0, "etlb_steps": 2, "etlb_clip": 0.05, "etlb_chunk_tokens": 160}


def make(**settings):
    session = sgd_session(plugin="etlb", **{**TUNED, "eval_stride": 16, **settings})
    session.tokens = session.tokens[:500].clone()
    return session


def run(session):
    """(nll in the order of the stream, tally) of the evaluation."""
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


def logits_of(session, start, end):
    """(end - start, V) in float64, without a bias."""
    found = []

    def keep(model, logits, ids, ctx):
        found.append(logits[0].double().numpy())
        return logits

    chosen, session.model.program = session.model.program, session.program._replace(distribution_transforms=(keep,))
    with torch.no_grad():
        session.model(
            session.tokens[start:end].long()[None], session.tokens[start + 1 : end + 1].long()[None], ("loop",)
        )
    session.model.program = chosen
    return found[0]


def slow(session):
    """The definition, one window and one chunk after the other."""
    tokens, bias = session.tokens.long().numpy(), np.zeros(session.settings.vocab_size)
    found, done = np.full(len(tokens), np.nan), 0
    spans = session.program.windows.spans(len(tokens), 32)
    last = -(-(len(tokens) - 1) // 160) - 1
    for chunk in range(last + 1):
        for span in [span for span in spans if (span.start + span.first) // 160 == chunk]:
            logits = logits_of(session, span.start, span.end) + bias
            nll = (
                np.logaddexp.reduce(logits, -1) - logits[np.arange(len(logits)), tokens[span.start + 1 : span.end + 1]]
            )
            found[span.start + span.first + 1 : span.end + 1] = nll[span.first :]
        if chunk == last:
            break
        rows = np.concatenate([logits_of(session, at, at + 32) for at in range(chunk * 160, chunk * 160 + 160, 32)])
        targets = np.eye(len(bias))[tokens[chunk * 160 + 1 : chunk * 160 + 161]]
        for _ in range(2):
            odds = np.exp(rows + bias)
            gradient = (odds / odds.sum(-1, keepdims=True) - targets).mean(0)
            bias = np.clip(bias - 3.0 * gradient, -0.05, 0.05)
        done += 1
    assert done == 3 and (abs(bias) == 0.05).any() and (abs(bias) < 0.05).any()
    return torch.from_numpy(found[1:]).float()


def test_it_is_its_definition():
    session = make()
    session.model.eval()
    wanted = slow(session)
    found, _ = run(session)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    plain = run(make(etlb_lr=0.0))[0]
    assert torch.equal(found[:160], plain[:160]) and (found[192:] != plain[192:]).all()
    assert session.ledger.receipt("etlb") == "6 steps"


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("place", [161, 300])
def test_no_score_depends_on_what_is_scored_later(hidden, place):
    plain, other = make(etlb_hidden=hidden), make(etlb_hidden=hidden)
    other.tokens = other.tokens.clone()
    other.tokens[place] = 77 if other.tokens[place] != 77 else 78
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    assert place in moved and int(moved.min()) >= place
    later = (place + 159) // 160 * 160 + 32
    assert (moved >= later).sum() > 0.9 * (499 - later), "what is scored after its chunk depends on it"


@pytest.mark.parametrize("hidden", [False, True])
def test_everything_is_learnt_from_after_it_is_scored_and_no_weight_changes(hidden):
    session = make(etlb_hidden=hidden)
    before = [tensor.clone() for tensor in session.model.parameters()]
    found, tally = run(session)
    learned = tally.learned_at < NEVER
    assert not found.isnan().any() and learned.nonzero().flatten().tolist() == list(range(1, 481))
    assert (tally.learned_at[learned] > tally.scored_at[learned]).all()
    assert all(torch.equal(*pair) for pair in zip(before, session.model.parameters(), strict=True))


def test_the_hidden_form_learns_a_shift_of_the_last_mlp():
    session = make(etlb_hidden=True, etlb_clip=1.0, etlb_lr=0.5)
    plain = run(make(etlb_lr=0.0))[0]
    found = run(session)[0]
    assert torch.equal(found[:160], plain[:160]) and (found[192:] != plain[192:]).all()
    assert found[160:].mean() < plain[160:].mean(), "what it learns helps on text of the same kind"


def test_when_time_is_over_it_scores_on():
    session, lines = make(max_eval_seconds=1e-9), []
    session.log = lines.append
    assert torch.equal(run(session)[0], run(make(etlb_lr=0.0))[0])
    assert lines[-1] == "etlb: learnt from 0 of 3 chunks"


def test_a_chunk_shorter_than_a_window_is_refused():
    with pytest.raises(PgolfError) as caught:
        resolved("etlb", train_seq_len=64, etlb_chunk_tokens=32)
    assert caught.value.code == "PG003"
