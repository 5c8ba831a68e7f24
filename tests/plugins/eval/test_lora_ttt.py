"""Test-time training of documents against golden runs, and what makes it legal: order, documents apart, every target once."""

import pytest
import torch
from models import resolved
from ttt import fill_like_the_vectors, golden_session, load_run, nll_of

import pgolf.runtime.tally as tally_module
from pgolf.errors import PgolfError
from pgolf.runtime.documents import find_documents
from pgolf.runtime.evaluate import run_evaluation
from pgolf.runtime.lora import Lora
from pgolf.runtime.tally import Tally
from pgolf.score_ledger import read_score_ledger


def run(session):
    """(nll in the order of the stream, tally) of the evaluation."""
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


@pytest.fixture
def golden_factors(monkeypatch):
    monkeypatch.setattr(Lora, "reset", fill_like_the_vectors)


def test_a_whole_run_matches_the_public_script(golden_factors):
    case = load_run("ttt_unphased")
    found, tally = run(golden_session("ttt_unphased"))
    case.check("nll", found)
    nats, tokens, size = tally.sums.tolist()
    case.check("val_loss", torch.tensor(nats / tokens, dtype=torch.float64))
    assert tokens == 2789 and size == 3 * 2789


def test_without_learning_it_is_the_public_script_without_adapters():
    case = load_run("ttt_unphased")
    found, _ = run(golden_session("ttt_unphased", ttt_lora_lr=0.0))
    case.check("nll_noadapt", found)


def change(session, place):
    """Another token there, not the start of a document."""
    session.tokens = session.tokens.clone()
    session.tokens[place] = 77 if session.tokens[place] != 77 else 78


@pytest.mark.ci
@pytest.mark.parametrize("warm", [False, True])
def test_no_score_depends_on_what_is_scored_later(warm):
    """Change a token late in a document of the last group: only scores from that token on in this document change."""
    plain = golden_session("ttt_unphased", ttt_warm_start_a=warm, ttt_lora_lr=0.02)
    documents = find_documents(plain.tokens, 1)
    shortest = sorted(documents, key=lambda document: document.length)[7]
    place = shortest.start + shortest.length - 3
    other = golden_session("ttt_unphased", ttt_warm_start_a=warm, ttt_lora_lr=0.02)
    change(other, place)
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    assert set(moved.tolist()) <= set(range(place, shortest.start + shortest.length)) and place in moved


def test_a_document_learns_from_itself_alone_without_warm_start():
    """Change a token early in the longest document: no other document's scores change, its own later ones do."""
    plain = golden_session("ttt_unphased", ttt_warm_start_a=False, ttt_lora_lr=0.02)
    documents = find_documents(plain.tokens, 1)
    longest = max(documents, key=lambda document: document.length)
    other = golden_session("ttt_unphased", ttt_warm_start_a=False, ttt_lora_lr=0.02)
    change(other, longest.start + 5)
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    inside = range(longest.start + 5, longest.start + longest.length)
    assert set(moved.tolist()) <= set(inside)
    # The context is 64 tokens, so what lies further on can only have changed through the factors.
    assert set(range(longest.start + 5 + 64 + 16, longest.start + longest.length)) <= set(moved.tolist())


def test_updates_are_worth_something():
    """On a document that repeats itself the later chunks gain from the earlier ones."""
    repeated = torch.tensor([1, *([9, 17, 40, 5, 33, 8, 12, 90] * 30), 1, 6])
    session = golden_session("ttt_unphased", ttt_lora_lr=0.05, ttt_lora_alpha=32.0)
    still = golden_session("ttt_unphased", ttt_lora_lr=0.0)
    session.tokens = still.tokens = repeated.to(torch.uint16)
    learned, plain = run(session)[0], run(still)[0]
    assert torch.equal(learned[:16], plain[:16]), "the first chunk is scored before anything is learnt"
    assert learned[100:240].mean() < plain[100:240].mean() - 0.5


@pytest.mark.parametrize(
    "tokens",
    [
        [5, 6, 7, 1, 8, 9, 1, 4],
        [1, 1, 1, 5, 1],
        [1, 3],
        [7, 9, 11],
        [9, 1],
        [1, *range(4, 40), 1, *range(40, 47)],
    ],
    ids=["text before the first BOS", "empty documents", "one target", "no BOS", "ends with BOS", "odd group"],
)
def test_every_target_is_scored_once_whatever_the_stream(tokens, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("logs").mkdir()
    session = golden_session("ttt_unphased")
    session.tokens = torch.tensor(tokens).to(torch.uint16)
    assert run_evaluation(session).tokens == len(tokens) - 1
    assert read_score_ledger("logs/run.scores.npz").problems() == []


def test_no_learning_after_the_time_is_up():
    session, lines = golden_session("ttt_unphased", max_eval_seconds=1e-9), []
    session.log = lines.append
    found, _ = run(session)
    load_run("ttt_unphased").check("nll_noadapt", found)
    assert not found.isnan().any() and session.ledger.receipt("lora_ttt") == "40 documents"
    assert [line.startswith("eval: no more learning") for line in lines].count(True) == 1


def test_it_stops_learning_when_the_rest_of_the_scoring_just_fits(monkeypatch):
    """A clock on which scoring 1,000 places takes a second and learning ten: of 100 s, learning gets what scoring leaves."""
    session = golden_session("ttt_unphased", max_eval_seconds=100.0, ttt_widths=1)
    session.model.eval()
    session.freeze()
    tally, clock = Tally(session), [0.0]
    monkeypatch.setattr(tally, "time_now", lambda: clock[0] + 1e-9)
    monkeypatch.setattr(tally, "seconds_left", lambda: 100.0 - clock[0])
    score_rows, learn = tally_module.score_rows, tally.learn

    def slow_score(session, marks, event, places, scored, adapter=None):
        clock[0] += places.numel() / 1000
        return score_rows(session, marks, event, places, scored, adapter)

    def slow_learn(scored, weights):
        clock[0] += 10
        learn(scored, weights)

    monkeypatch.setattr(tally_module, "score_rows", slow_score)
    monkeypatch.setattr(tally, "learn", slow_learn)
    assert not nll_of(session, tally).isnan().any()
    assert tally.planned == tally.done, "the plan is what was scored"
    updates = int(session.ledger.receipt("lora_ttt").split()[0])
    # Too late by one update at most.
    assert updates >= 2 and 90 <= clock[0] <= 110


def test_shapes_that_are_slow_at_first_do_not_end_learning(monkeypatch):
    """A clock on which the first rows of a length take ten seconds and all others a twentieth, as where kernels are chosen."""
    session, lines = golden_session("ttt_unphased", max_eval_seconds=100.0, ttt_widths=0), []
    session.model.eval()
    session.freeze()
    session.log = lines.append
    tally, clock, seen = Tally(session), [0.0], set()
    monkeypatch.setattr(tally, "time_now", lambda: clock[0] + 1e-9)
    monkeypatch.setattr(tally, "seconds_left", lambda: 100.0 - clock[0])
    score_rows = tally_module.score_rows

    def uneven_score(session, marks, event, places, scored, adapter=None):
        clock[0] += 0.05 if places.shape in seen else 10.0
        seen.add(places.shape)
        return score_rows(session, marks, event, places, scored, adapter)

    monkeypatch.setattr(tally_module, "score_rows", uneven_score)
    assert not nll_of(session, tally).isnan().any() and len(seen) == 4 and clock[0] < 50
    assert not any("no more learning" in line for line in lines)
    assert [line for line in lines if line.startswith("eval: scoring the rest will take about")] != []
    assert session.ledger.receipt("lora_ttt").startswith("23 updates")


def test_sites_are_chosen_by_settings():
    flags = {"ttt_k_lora": False, "ttt_o_lora": False, "ttt_mlp_lora": False}
    assert golden_session("ttt_unphased", **flags).program.evaluation.sites == ("attn.c_q", "attn.c_v", "head")


@pytest.mark.parametrize(
    "setting", [{"ttt_chunk_size": 65, "ttt_eval_seq_len": 64}, {"ttt_beta1": 1.0}, {"ttt_beta2": 1.5}]
)
def test_settings_that_cannot_work(setting):
    with pytest.raises(PgolfError) as caught:
        resolved("lora_ttt", **setting)
    assert caught.value.code == "PG003"


FIRST = {"ttt_beta1": 0.9, "ttt_beta2": 0.95, "ttt_weight_decay": 0.0, "ttt_warm_start_a": False, "ttt_k_lora": False}
FIRST = {**FIRST, "ttt_o_lora": False, "ttt_mlp_lora": False, "ttt_lora_alpha": 4.0, "ttt_lora_lr": 0.01}


def fill_rows_alike(lora, generator=None):
    """Stands in for `Lora.reset`: every row starts alike, B at zero."""
    with torch.no_grad():
        for number, factor in enumerate(lora.factors()):
            grid = torch.arange(factor[0].numel()).view_as(factor[0])
            factor.copy_((0.7 * grid + number).sin() * 0.1 if number < len(lora.down) else 0 * factor)


def test_the_first_form_of_docs_recipes_is_adam_on_each_document(monkeypatch):
    """Factors at q, v and head alone, scale 1, written out for one document at a time."""
    monkeypatch.setattr(Lora, "reset", fill_rows_alike)
    session = golden_session("ttt_unphased", **FIRST)
    session.tokens = session.tokens[:200]
    found, _ = run(session)
    steps = sum(len(part) for part in session.program.layer_plan(("loop",)))
    lora = Lora(session.model, ("attn.c_q", "attn.c_v", "head"), steps, 1, 4, 1.0)
    for start, length in find_documents(session.tokens, 1):
        lora.reset()
        first, second = ([torch.zeros_like(factor) for factor in lora.factors()] for _ in range(2))
        for step, at in enumerate(range(0, length - 1, 16), 1):
            end = min(at + 16, length - 1)
            begin = max(end - 64, 0)
            ids = session.tokens[None, start + begin : start + end + 1].long()
            nll = session.model(ids[:, :-1], ids[:, 1:], phases=("loop",), reduction="none", adapter=lora)[0]
            torch.testing.assert_close(
                found[start + at : start + end], nll[at - begin :].detach(), rtol=1e-4, atol=1e-4
            )
            gradients = torch.autograd.grad(nll[at - begin :].mean(), lora.factors())
            with torch.no_grad():
                for factor, gradient, m, v in zip(lora.factors(), gradients, first, second, strict=True):
                    m.mul_(0.9).add_(0.1 * gradient)
                    v.mul_(0.95).add_(0.05 * gradient**2)
                    factor -= 0.01 * (m / (1 - 0.9**step)) / ((v / (1 - 0.95**step)).sqrt() + 1e-10)


@pytest.mark.ci
@pytest.mark.parametrize(("widths", "rehearsed"), [(2, 2), (0, 1)])
def test_what_is_rehearsed_is_all_that_is_compiled(golden_factors, widths, rehearsed):
    """A few graphs for as many widths, or one for any width, made before time begins; scores are those of the public script."""
    session, graphs, lines = golden_session("ttt_unphased", ttt_widths=widths), [], []

    def keep(graph, inputs):
        graphs.append(graph)
        return graph.forward

    session.forward = torch.compile(session.model, dynamic=False, fullgraph=True, backend=keep)
    session.log = lambda line: lines.append((line, len(graphs)))
    found, tally = run(session)
    load_run("ttt_unphased").check("nll", found)
    (line, made) = next(entry for entry in lines if entry[0].startswith("eval: compiled"))
    assert line.startswith(f"eval: compiled {rehearsed} shapes") and made == rehearsed == len(graphs)
    assert {width for _, width in tally.done} == ({32, 64} if widths else {16, 32, 48, 64})
