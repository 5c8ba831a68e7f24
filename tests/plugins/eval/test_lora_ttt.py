"""Test-time training of documents against golden runs, and what makes it legal: order, ranks, other documents."""

import pytest
import torch
from ttt import fill_like_the_vectors, golden_session, load_run, nll_of

from pgolf.runtime.lora import Lora
from pgolf.runtime.tally import Tally


@pytest.fixture
def golden_factors(monkeypatch):
    monkeypatch.setattr(Lora, "reset", fill_like_the_vectors)


def run(name, **settings):
    """(nll, tally, session) of a golden run."""
    session = golden_session(name, **settings)
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally, session


def test_a_whole_run_matches_the_public_script(golden_factors):
    case = load_run("ttt_unphased")
    found, tally, _ = run("ttt_unphased")
    print(case.check("nll", found))
    nats, tokens, size = tally.sums.tolist()
    print(case.check("val_loss", torch.tensor(nats / tokens, dtype=torch.float64)))
    assert tokens == 2789 and size == 3 * 2789
