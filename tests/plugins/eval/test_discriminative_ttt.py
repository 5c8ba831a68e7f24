"""Variants of training all weights: off they are sgd_ttt, on they are what a plain loop does, scored text alone teaches."""

import math

import pytest
import torch
from models import resolved
from ttt import nll_of, sgd_session

from pgolf.errors import PgolfError
from pgolf.runtime.records import Param
from pgolf.runtime.tally import NEVER, Tally
from pgolf_plugins.eval.discriminative_ttt import DiscriminativeTTT
from pgolf_plugins.optimizer.newton_schulz import iterate_newton_schulz

VARIANTS = {
    "layers": {"ttt_layer_decay": 0.5},
    "surprise": {"ttt_entropy_low": 2.0, "ttt_entropy_high": 9.0},
    "muon": {"ttt_ns_steps": 3, "ttt_lr": 0.003},
    "gains": {"ttt_groups": "scalar", "ttt_lr": 0.5, "ttt_grad_clip": 0.1},
    "all": {
        "ttt_layer_decay": 0.8,
        "ttt_entropy_low": 1.0,
        "ttt_entropy_high": 8.0,
        "ttt_ns_steps": 2,
        "ttt_groups": "matrix",
    },
}


def make(plugin="discriminative_ttt", tokens=500, **settings):
    session = sgd_session(plugin=plugin, **{"eval_stride": 16, **settings})
    session.tokens = session.tokens[:tokens].clone()
    return session


def run(session):
    """(nll in the order of the stream, tally) of the evaluation."""
    session.model.eval()
    session.freeze()
    tally = Tally(session)
    return nll_of(session, tally), tally


def nll_at(session, start, end):
    """(end - start,) of one window, with a graph."""
    ids = session.tokens[start : end + 1].long()[None]
    return session.model(ids[:, :-1], ids[:, 1:], ("loop",), reduction="none")[0]


def slow(session, lr=0.02, decay=1.0, low=0.0, high=0.0, ns=0, groups=(), limit=1.0):
    """The definition: windows one by one, two epochs over a chunk's five rows, in steps of four and one."""
    records = {name: record for record in session.parameters for name in record.stored_names()}
    learning = {name: tensor for name, tensor in session.model.named_parameters() if records[name].adapt}
    learning = {name: tensor for name, tensor in learning.items() if not groups or records[name].group in groups}
    buffers, found = {}, torch.full((len(session.tokens),), float("nan"))
    spans, last = session.program.windows.spans(len(session.tokens), 32), -(-(len(session.tokens) - 1) // 160) - 1
    for chunk in range(last + 1):
        for span in [span for span in spans if (span.start + span.first) // 160 == chunk]:
            with torch.no_grad():
                nll = nll_at(session, span.start, span.end)
            found[span.start + span.first + 1 : span.end + 1] = nll[span.first :]
        if chunk == last:
            break
        mean = float(found[chunk * 160 + 1 : chunk * 160 + 161].double().mean())
        rate = lr * 0.5 * (1 + math.cos(math.pi * chunk / last))
        rate *= min(max((mean - low) / (high - low), 0), 1) if high else 1
        rows = [chunk * 160 + 32 * row for row in range(5)]
        for batch in (rows[:4], rows[4:]) * 2:
            for tensor in learning.values():
                tensor.requires_grad_(True)
            loss = torch.stack([nll_at(session, at, at + 32) for at in batch]).mean()
            gradients = torch.autograd.grad(loss, list(learning.values()), allow_unused=True)
            norm = sum(float(gradient.square().sum()) for gradient in gradients if gradient is not None) ** 0.5
            for (name, tensor), gradient in zip(learning.items(), gradients, strict=True):
                gradient = torch.zeros_like(tensor) if gradient is None else gradient * min(1.0, limit / (norm + 1e-6))
                buffers[name] = 0.9 * buffers.get(name, 0.0) + gradient
                update = buffers[name]
                if ns and records[name].group == "matrix":
                    update = iterate_newton_schulz(update.bfloat16(), ns, False).float()
                    update = update * max(1, update.shape[0] / update.shape[1]) ** 0.5
                layer = int(name.split(".")[1]) if records[name].layers else session.settings.num_layers - 1
                with torch.no_grad():
                    tensor -= rate * decay ** (session.settings.num_layers - 1 - layer) * update
    return found[1:]


def test_with_all_of_it_off_it_is_sgd_ttt():
    assert torch.equal(run(make())[0], run(make("sgd_ttt"))[0])


@pytest.mark.parametrize("name", VARIANTS)
def test_it_is_what_a_plain_loop_does(name):
    settings = VARIANTS[name]
    words = {"ttt_lr": "lr", "ttt_layer_decay": "decay", "ttt_entropy_low": "low", "ttt_entropy_high": "high"}
    words |= {"ttt_ns_steps": "ns", "ttt_grad_clip": "limit"}
    told = {words[key]: value for key, value in settings.items() if key in words}
    session = make(**settings)
    session.model.eval()
    wanted = slow(session, groups=tuple(filter(None, settings.get("ttt_groups", "").split(","))), **told)
    again = make(**settings)
    found, tally = run(again)
    # Orthogonalized in bfloat16, where the last bit of a gradient shows.
    bound = 1e-2 if "ttt_ns_steps" in settings else 3e-4
    torch.testing.assert_close(found, wanted, rtol=bound, atol=bound)
    assert (found[160:] - run(make())[0][160:]).abs().max() > 3 * bound, "the variant makes a difference"
    learned = tally.learned_at < NEVER
    assert (tally.learned_at[learned] > tally.scored_at[learned]).all() and int(learned.sum()) == 480


@pytest.mark.parametrize("name", VARIANTS)
def test_no_score_depends_on_what_is_scored_later(name):
    plain, other = make(**VARIANTS[name]), make(**VARIANTS[name])
    other.tokens = other.tokens.clone()
    other.tokens[300] = 77 if other.tokens[300] != 77 else 78
    moved = (run(plain)[0] != run(other)[0]).nonzero().flatten() + 1
    assert 300 in moved and int(moved.min()) >= 300 and (moved > 352).any()


def test_only_the_chosen_groups_change():
    session = make(ttt_groups="scalar", ttt_lr=0.1)
    before = {name: tensor.clone() for name, tensor in session.model.named_parameters()}
    run(session)
    groups = {name: record.group for record in session.parameters for name in record.stored_names()}
    moved = {name for name, tensor in session.model.named_parameters() if not torch.equal(tensor, before[name])}
    assert moved and {groups[name] for name in moved} == {"scalar"}


def test_a_bank_has_a_rate_for_each_member():
    evaluation = DiscriminativeTTT((0.1, 0.9, 1.0), (32, 1, 1), 0.5, (0.0, 0.0), 0, ())
    bank = Param(
        "qo_bank", (6, 4, 4), "matrix", "attn", members=("blocks.{}.attn.c_q.weight", "blocks.{}.attn.proj.weight")
    )
    assert evaluation.factor(bank, 0, torch.zeros(6, 4, 4)).flatten().tolist() == [0.25, 0.5, 1.0] * 2
    late = Param("blocks.{}.gate", (4,), "scalar", "control", layers=5, first=2)
    assert [evaluation.factor(late, at, torch.zeros(4)) for at in range(3)] == [0.25, 0.5, 1.0]
    assert evaluation.factor(Param("tok_emb.weight", (8, 4), "embed", "embed"), 0, torch.zeros(8, 4)) == 1.0


@pytest.mark.parametrize(
    "settings", [{"ttt_chunk_tokens": 32}, {"ttt_entropy_low": 2.0, "ttt_entropy_high": 1.0, "ttt_chunk_tokens": 64}]
)
def test_what_cannot_work_is_refused(settings):
    with pytest.raises(PgolfError) as caught:
        resolved("discriminative_ttt", train_seq_len=64, **settings)
    assert caught.value.code == "PG003"
