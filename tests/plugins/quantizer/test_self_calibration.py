"""Sequences follow the model's own distribution, whoever writes them, and no data are read for them."""

import pytest
import torch
from models import built, resolved
from pipeline_vectors import load_case
from sessions import ALONE, make_session

from pgolf.errors import PgolfError
from pgolf.runtime.calibrate import HessianObserver
from pgolf.runtime.quantize import damped_hessian
from pgolf.testing import scramble
from pgolf_plugins.quantizer.self_calibration import SelfCalibration, next_logits, pick, sequence_noise

SIZES = {"num_layers": 2, "train_seq_len": 8, "vocab_size": 256, "train_batch_tokens": 1024}


@pytest.fixture(scope="module", params=["smear_gate", "factored_embedding"])
def session(request):
    """Positions that are mixed before the layers, and a head that is two matrices."""
    width = {"embed_dim": 24} if request.param == "factored_embedding" else {}
    made = built("self_calibration", request.param, **SIZES, **width)
    scramble(made.model).eval()
    return make_session(made, torch.zeros(100))


@torch.no_grad()
def test_tokens_are_drawn_from_the_scores_of_the_forward(session):
    """The slow route: the forward scores every token of the vocabulary as the target of every place."""
    noise = torch.stack([sequence_noise(3, number, 8) for number in range(3)])
    ids = SelfCalibration(8, 3, 0.8).generate(session, noise)
    assert ids[:, 0].tolist() == [int(value * 256) for value in noise[:, 0].tolist()]
    nll = torch.stack([session.model(ids, torch.full_like(ids, token), reduction="none") for token in range(256)], 2)
    mass = (-nll / 0.8).exp().double()
    cumulated = mass.cumsum(2) / mass.sum(2, keepdim=True)
    wanted = (cumulated[:, :-1] <= noise[:, 1:, None]).sum(2)
    assert torch.equal(ids[:, 1:], wanted) and len({*ids.flatten().tolist()}) > 12


@torch.no_grad()
def test_the_next_logits_depend_on_all_tokens_before(session):
    ids = torch.tensor([[5, 6, 7, 8], [5, 9, 7, 8], [5, 6, 7, 8]])
    found = next_logits(session, ids, 3)
    assert found.shape == (3, 256) and torch.equal(found[0], found[2]) and not torch.equal(found[0], found[1])


@torch.no_grad()
def test_what_is_not_written_yet_is_not_seen(session):
    ids = torch.tensor([[5, 6, 7, 8], [5, 6, 9, 1]])
    found = next_logits(session, ids, 1)
    assert torch.equal(found[0], found[1])
    torch.testing.assert_close(found, next_logits(session, ids[:, :2], 1))


@torch.no_grad()
def test_a_model_that_kept_keys_do_not_serve_is_asked_with_whole_forwards():
    """The mean over all positions so far reaches further than the piece of a step."""
    made = built("self_calibration", "block_smear", **{**SIZES, "train_seq_len": 40, "train_batch_tokens": 320})
    scramble(made.model).eval()
    session, said = make_session(made, torch.zeros(100)), []
    session.log = said.append
    source, noise = SelfCalibration(8, 2, 0.8), torch.rand(2, 40, generator=torch.Generator().manual_seed(1))
    assert torch.equal(source.generate(session, noise), source.generate_slowly(session, noise))
    assert session.ledger.done["self_calibration", "sequences without a cache"] == 2 and "nats off" in said[0]


@torch.no_grad()
@pytest.mark.parametrize("ranks", [2, 8])
def test_ranks_share_the_sequences_of_one(session, ranks):
    session.program = session.program._replace(calibration_source=None)
    source, found = SelfCalibration(8, 3, 0.8), []
    for rank in range(ranks):
        session.world = ALONE._replace(rank=rank, world_size=ranks)
        found += list(source(session))
    session.world = ALONE
    alone = list(SelfCalibration(8, 8, 0.8)(session))
    assert torch.equal(torch.cat(found), alone[0]) and alone[0].shape == (8, 7)
    assert len({tuple(row) for row in alone[0].tolist()}) == 8


def test_the_toy_chain_of_the_public_script():
    """There tokens come from torch's own generator; here the transitions must have the same probabilities."""
    case = load_case("C1_ar_generation")
    table, temperature = case.inputs["T"], case.params["temperature"]
    wanted = (table / temperature).softmax(1)
    uniform = torch.rand(40_000, 1, generator=torch.Generator().manual_seed(case.params["seed"]))
    for last in range(len(table)):
        chosen = pick((table[last] / temperature).expand(len(uniform), -1), uniform)[:, 0]
        share = torch.bincount(chosen, minlength=len(table)) / len(uniform)
        assert (share - wanted[last]).abs().max() < 0.01
    assert pick(torch.zeros(2, 5), torch.tensor([[0.0], [0.9999999]])).tolist() == [[0], [4]]


def test_statistics_are_those_of_the_public_script_but_damped_once():
    """#1019 leaves out the last token of a sequence, divides by their number, and damps; its solver damps again."""
    case = load_case("C1_double_damp_a")
    observer = HessianObserver()
    for sequence in case.inputs["X"]:
        observer("attn.c_q", 0, sequence[:-1])
    found = observer.sums["attn.c_q", 0].float() / len(case.inputs["X"])
    wanted = case.outputs["H:blocks.0.attn.c_q.weight"]
    torch.testing.assert_close(damped_hessian(found, 0.01)[0], wanted, rtol=1e-4, atol=1e-5)


def test_it_needs_no_reserve_and_takes_the_place_of_training_data():
    entry = resolved("self_calibration", max_wallclock_seconds=600).entry
    assert "SelfCalibration(batch=8, samples=64, temperature=0.8)" in entry and "reserve=None" in entry
    assert "train_calibration" not in entry and "average_statistics" in entry
    for setting, value in (("gptq_calib_samples", 12), ("gptq_temperature", 0.0)):
        with pytest.raises(PgolfError, match=setting):
            resolved("self_calibration", **{setting: value})
