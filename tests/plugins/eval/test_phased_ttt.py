"""Phases of training the base weights against a golden run; segments by a slower route."""

import pytest
import torch
from ttt import fill_like_the_vectors, golden_session, load_run, nll_of

from pgolf.runtime.lora import Lora
from pgolf.runtime.tally import Tally


@pytest.fixture
def golden_factors(monkeypatch):
    monkeypatch.setattr(Lora, "reset", fill_like_the_vectors)


def test_a_whole_run_matches_the_public_script(golden_factors):
    case, session = load_run("ttt_phased_2ph"), golden_session("ttt_phased_2ph")
    before = [tensor.detach().clone() for tensor in session.model.parameters()]
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    found = nll_of(session, tally)
    print(case.check("nll", found))
    nats, tokens, _ = tally.sums.tolist()
    print(case.check("val_loss", torch.tensor(nats / tokens, dtype=torch.float64)))
    moved = sum((a - b).square().sum() for a, b in zip(before, session.model.parameters(), strict=True)).sqrt()
    print(moved, case.outputs["base_norm_change"])
