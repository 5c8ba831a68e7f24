"""Test-time training in chunks against a golden run and a plain loop; order, time, tails."""

import pytest
import torch
from models import resolved
from ttt import load_run, nll_of, sgd_session

from pgolf.errors import PgolfError
from pgolf.runtime.chunks import split_chunks
from pgolf.runtime.tally import NEVER, Tally, close_marks


def run(session):
    """(nll in the order of the stream, tally) of the evaluation."""
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


def short_session(tokens=400, **settings):
    """Coarse windows over the beginning of the stream."""
    session = sgd_session(eval_stride=16, **settings)
    session.tokens = session.tokens[:tokens].clone()
    return session


def test_a_whole_run_matches_the_public_script():
    session = sgd_session()
    found, tally = run(session)
    load_run("ttt_sgd_u2").check("nll_ttt", found)
    nats, tokens, size = tally.sums.tolist()
    load_run("ttt_sgd_u2").check("val_loss_ttt", torch.tensor(nats / tokens, dtype=torch.float64))
    assert (tokens, size) == (899, 3 * 899) and session.ledger.receipt("sgd_ttt") == "20 steps"
    assert not any(tensor.requires_grad for tensor in session.model.parameters())


def test_without_learning_it_is_the_public_sliding_evaluation():
    load_run("ttt_sgd_u2").check("nll_sliding", run(sgd_session(ttt_lr=0.0))[0])


def test_windows_come_with_the_chunk_of_their_first_target():
    session = sgd_session()
    chunks = split_chunks(session.program.windows.spans(900, 32), 900, 160)
    found = [(span.start, number) for number, spans in enumerate(chunks) for span in spans]
    starts, numbers = (load_run("ttt_sgd_u2").outputs[name].tolist() for name in ("window_starts", "window_chunk"))
    assert found == list(zip(starts, numbers, strict=True))


@pytest.mark.parametrize("place", [161, 300])
def test_no_score_depends_on_what_is_scored_later(place):
    """Change a token: only scores from that token on change, and all those of the chunks after its own do."""
    plain, other = short_session(), short_session()
    other.tokens = other.tokens.clone()
    other.tokens[place] = 77 if other.tokens[place] != 77 else 78
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    assert place in moved and int(moved.min()) >= place
    # Targets 160 k + 1 to 160 (k + 1) are learnt from together; windows reach 31 back.
    later = (place + 159) // 160 * 160 + 32
    assert (moved >= later).sum() > 0.95 * (399 - later)


def test_everything_is_learnt_from_after_it_is_scored():
    _, tally = run(short_session())
    learned = tally.learned_at < NEVER
    assert learned.nonzero().flatten().tolist() == list(range(1, 321))
    assert (tally.learned_at[learned] > tally.scored_at[learned]).all()


@pytest.mark.parametrize("tokens", [34, 161, 162, 371])
def test_tails_are_scored(tokens):
    session = short_session(tokens)
    found, tally = run(session)
    assert not found.isnan().any() and len(found) == tokens - 1
    assert close_marks(session, tally.scored_at, tally.sums, tally.begin).tokens == tokens - 1


def test_rows_that_do_not_fill_a_chunk_are_left_out():
    """Chunks of 170 targets have five rows of 32; the ten behind them are scored and never learnt from."""
    _, tally = run(short_session(ttt_chunk_tokens=170))
    missing = (tally.learned_at[1:341] == NEVER).nonzero().flatten() + 1
    assert missing.tolist() == [170 * chunk + at for chunk in range(2) for at in range(161, 171)]


def test_windows_side_by_side_do_as_well():
    session = sgd_session(windows="chunked_eval")
    session.tokens = session.tokens[: 12 * 32 + 1]
    found, tally = run(session)
    still = sgd_session(windows="chunked_eval", ttt_lr=0.0)
    still.tokens = session.tokens
    assert torch.equal(found[:160], run(still)[0][:160]) and not found.isnan().any()
    assert (tally.learned_at < NEVER).sum() == 2 * 160


@pytest.mark.parametrize(("limit", "steps"), [(1e-9, ""), (1e9, "8 steps")])
def test_when_time_is_over_it_scores_on(limit, steps):
    session, lines = short_session(max_eval_seconds=limit), []
    session.log = lines.append
    found, _ = run(session)
    assert session.ledger.receipt("sgd_ttt") == steps and not found.isnan().any()
    learnt = "2 of 2 chunks" if steps else "0 of 2 chunks"
    assert [line.startswith("eval: no more learning") for line in lines].count(True) == (not steps)
    assert lines[-1] == f"sgd_ttt: learnt from {learnt}"
    assert steps or torch.equal(found, run(short_session(ttt_lr=0.0))[0])


def test_a_chunk_shorter_than_a_window_is_refused():
    with pytest.raises(PgolfError) as caught:
        resolved("sgd_ttt", train_seq_len=64, ttt_chunk_tokens=32)
    assert caught.value.code == "PG003"
