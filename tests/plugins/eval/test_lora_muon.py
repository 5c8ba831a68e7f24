"""Muon on documents' factors against one matrix after the other in float64, and what it learns from in a whole evaluation."""

import pytest
import torch
from micro import micro, run_program
from models import built
from sessions import make_session
from ttt import LORA, MODEL, STACK, load_run, nll_of

from pgolf.runtime.documents import find_documents
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.tally import NEVER, Tally
from pgolf_plugins.eval.lora_muon import make_muon


def make(**settings):
    """A session over the golden run's tokens with its weights, the loop on."""
    case = load_run("ttt_unphased")
    tuned = {**MODEL, **LORA, "lora_muon_lr": 0.005, **settings}
    made = built(*STACK, "lora_ttt", "lora_muon", **tuned)
    made.model.load_state_dict({key: value.float() for key, value in case.params.items()}, strict=True)
    return make_session(made, case.inputs["tokens"], phases=("loop",), evaluation=made.program.evaluation)


def run(session):
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


def slow(gradient, steps):
    """Newton-Schulz of one matrix in float64, in the orientation that it has."""
    x = gradient.double() / gradient.double().norm()
    for _ in range(steps):
        x = 3.4445 * x - 4.775 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
    return x


@pytest.mark.parametrize("steps", [1, 5])
def test_a_step_is_that_of_each_matrix_alone(steps):
    generator = torch.Generator().manual_seed(1)
    shapes = [(3, 4, 10), (3, 4, 6), (3, 4, 10), (3, 10, 4), (3, 3, 4), (3, 10, 4)]
    factors = [torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes]
    before = [factor.detach().clone() for factor in factors]
    for factor in factors:
        factor.grad = torch.randn(factor.shape, generator=generator) * 1e-4
        # The second document has ended.
        factor.grad[1] = 0
    ledger = Ledger()
    optimizer = make_muon(factors, ledger, 0.1, 3.0, steps)
    optimizer.step()
    for number, (factor, start) in enumerate(zip(factors, before, strict=True)):
        rate = 0.1 if number < 3 else 0.3
        for row in (0, 2):
            wanted = start[row] - rate * 0.2 * max(factor.shape[1:]) ** 0.5 * slow(factor.grad[row], steps)
            torch.testing.assert_close(factor.detach()[row].double(), wanted, rtol=1e-4, atol=1e-4)
        assert torch.equal(factor[1], start[1])
    optimizer.zero_grad()
    assert all(factor.grad is None for factor in factors) and ledger.receipt("lora_muon") == "1 updates"


def test_after_enough_steps_the_update_is_nearly_orthogonal():
    down, up = torch.zeros(2, 4, 50), torch.zeros(2, 50, 4)
    for factor in (down, up):
        factor.grad = torch.randn(factor.shape, generator=torch.Generator().manual_seed(2))
    make_muon([down, up], Ledger(), 1.0, 1.0, 8).step()
    singular = torch.linalg.svdvals(torch.stack([down, up.mT]) / (0.2 * 50**0.5))
    assert (singular > 0.6).all() and (singular < 1.3).all()


@pytest.mark.ci
def test_it_learns_what_helps_and_only_from_what_is_scored():
    found, tally = run(make())
    plain, _ = run(make(lora_muon_lr=0.0))
    learned = tally.learned_at < NEVER
    assert not found.isnan().any() and found.mean() < plain.mean() - 0.05
    assert learned.any() and (tally.learned_at[learned] > tally.scored_at[learned]).all()
    document = find_documents(make().tokens, 1)[3]
    assert document.length > 33 and torch.equal(
        *(scores[document.start : document.start + 16] for scores in (found, plain))
    )


@pytest.mark.ci
def test_no_score_depends_on_what_is_scored_later():
    plain, other = make(ttt_warm_start_a=False), make(ttt_warm_start_a=False)
    document = sorted(find_documents(plain.tokens, 1), key=lambda found: found.length)[20]
    place = document.start + document.length - 3
    other.tokens = other.tokens.clone()
    other.tokens[place] = 77 if other.tokens[place] != 77 else 78
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    assert place in moved and int(moved.min()) >= place and int(moved.max()) < document.start + document.length


def test_a_run_has_its_receipt(tmp_path, micro_data):
    path = tmp_path / "entry.py"
    path.write_text(micro("lora_muon", "document_starts").entry)
    done = run_program(path, tmp_path / "run", micro_data)
    assert done.status == 0, done.output
    assert any(line.startswith("receipt lora_muon:") and "updates" in line for line in done.lines)


def test_a_factor_without_a_gradient_stays():
    """The attention of layer 0 may be left out of the forward, its adapters with it."""
    factors = [torch.ones(2, 3, 5, requires_grad=True) for _ in range(4)]
    for factor in factors[::2]:
        factor.grad = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1))
    make_muon(factors, Ledger(), 0.1, 3.0, 5).step()
    assert [bool((factor == 1).all()) for factor in factors] == [False, True, False, True]
