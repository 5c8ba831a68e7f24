"""Phases in which the base weights learn, against a golden run; what they learn from; rows and their stretches."""

import pytest
import torch
from models import resolved
from ttt import fill_like_the_vectors, golden_session, load_run, nll_of

from pgolf.errors import PgolfError
from pgolf.runtime.distributed import World
from pgolf.runtime.documents import Document
from pgolf.runtime.lora import Lora
from pgolf.runtime.tally import NEVER, Tally
from pgolf_plugins.eval.phased_ttt import PhasedTTT, lay_out


def run(session):
    """(nll in the order of the stream, tally) of the evaluation."""
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


def test_a_whole_run_matches_the_public_script(monkeypatch):
    monkeypatch.setattr(Lora, "reset", fill_like_the_vectors)
    case, session = load_run("ttt_phased_2ph"), golden_session("ttt_phased_2ph")
    before = [tensor.detach().clone() for tensor in session.model.parameters()]
    found, tally = run(session)
    case.check("nll", found)
    nats, tokens, _ = tally.sums.tolist()
    case.check("val_loss", torch.tensor(nats / tokens, dtype=torch.float64))
    changes = [old - new for old, new in zip(before, session.model.parameters(), strict=True)]
    moved = sum(change.double().square().sum() for change in changes).sqrt().item()
    assert moved == pytest.approx(case.outputs["base_norm_change"].item(), rel=1e-4)
    assert not any(tensor.requires_grad for tensor in session.model.parameters())


def test_everything_is_learnt_from_after_it_is_scored():
    """In the ledger, and by the tally's own rule, which would end the run."""
    _, tally = run(golden_session("ttt_phased_2ph"))
    learned = tally.learned_at < NEVER
    assert learned.sum() > 1000 and (tally.learned_at[learned] > tally.scored_at[learned]).all()


@pytest.mark.ci
def test_scores_before_a_phase_do_not_depend_on_it_and_later_ones_do():
    """The two longest groups, 16 documents, come before the first phase."""
    plain, phased = (run(golden_session(name))[0] for name in ("ttt_unphased", "ttt_phased_2ph"))
    case = load_run("ttt_phased_2ph")
    longest = sorted(case.inputs["docs"].tolist(), key=lambda document: document[1])[-16:]
    early = torch.zeros(2789, dtype=torch.bool)
    for start, length in longest:
        early[start : start + length - 1] = True
    assert torch.equal(plain[early], phased[early])
    assert (plain[~early] != phased[~early]).float().mean() > 0.99


@pytest.mark.parametrize(("count", "wanted"), [(40, [10, 20]), (7, [3, 7]), (1, [1])])
def test_boundaries_are_shares_of_the_prefix(count, wanted):
    assert PhasedTTT(1, 20, 2, (0.1, 0.9, 1.0), 1, 4, 4, 4).boundaries(count) == wanted


def test_an_opening_bos_that_is_not_scored_yet_is_a_scored_one():
    tokens = torch.tensor([1, 5, 6, 1, 7, 1, 8, 9], dtype=torch.uint16)
    scored_at = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2], dtype=torch.int32)
    documents = [Document(5, 3), Document(3, 3)]
    assert lay_out(documents, tokens, scored_at, 1).tolist() == [5, 6, 7, 5, 4, 5]
    assert lay_out(documents[::-1], tokens, scored_at, 1).tolist() == [3, 4, 5, 5, 6, 7]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_parts_of_a_row_add_up_to_its_gradient(size):
    """What ranks learn from their parts is the gradient of the row's mean, whatever their number."""
    session = golden_session("ttt_phased_2ph")
    session.model.eval()
    update, tally = session.program.base_update, Tally(session)
    tally.scored_at += 1
    row = torch.cat([torch.arange(300, 420), torch.arange(1000, 1009)])
    weights = session.thaw()

    def gradients(world):
        session.world = world
        update.learn_row(session, tally, row)
        found = [weight.grad.clone() for weight in weights]
        session.model.zero_grad()
        return found

    whole = gradients(World(0, 1, 0, torch.device("cpu")))
    parts = [gradients(World(rank, size, 0, torch.device("cpu"))) for rank in range(size)]
    for number, wanted in enumerate(whole):
        total = sum(part[number] for part in parts) / size
        torch.testing.assert_close(total, wanted, rtol=1e-4, atol=1e-6)
    assert any(wanted.abs().max() > 1e-3 for wanted in whole)


@pytest.mark.parametrize("setting", [{"global_ttt_momentum": 1.0}, {"phased_ttt_prefix_docs": 0}])
def test_settings_that_cannot_work(setting):
    with pytest.raises(PgolfError):
        resolved("phased_ttt", **setting)
