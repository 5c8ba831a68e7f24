"""Every part of the forward in every mode in which it runs: packed rows, adapters, updates of all weights, windows.

Training, scoring and calibration are `check_every_mode` of test_plugin_contracts.
"""

import pytest
import torch
from lora import Lora
from models import built, scramble, tokens
from test_plugin_contracts import FORWARD, sizes

from pgolf.errors import PgolfError

LENGTHS = (9, 5, 12, 6)
# What attends with a kernel of its own, or has numbers of its own, so that packed rows cannot be kept apart.
REFUSED = {
    "causal_attention": "another kernel in the slot",
    "ntk_rope": "the base depends on the length of the row",
    "swa": "another kernel in the slot",
}


def packed(order):
    """(ids, targets, fields, place of every token in the row of order 0..3) of documents that begin with id 1."""
    documents = [
        torch.cat((torch.ones(1, dtype=torch.int64), tokens(1, size, seed=size)[0][0, 1:])) for size in LENGTHS
    ]
    starts = [sum(LENGTHS[:number]) for number in range(len(LENGTHS))]
    ids = torch.cat([documents[number] for number in order])[None]
    targets = torch.cat([torch.cat((documents[number][1:], documents[0][:1])) for number in order])[None]
    numbers = torch.cat([torch.full((LENGTHS[number],), place) for place, number in enumerate(order)])[None]
    places = torch.cat([torch.arange(LENGTHS[number]) + starts[number] for number in order])
    return ids, targets, {"documents": numbers, "starts": ids == 1}, places


@pytest.mark.parametrize("name", FORWARD)
@torch.no_grad()
def test_the_order_of_packed_documents_changes_no_score(name):
    """Rotary positions go on along the row, so scores are equal up to rounding alone."""
    if name in REFUSED:
        with pytest.raises(PgolfError, match=r"PG\d"):
            built(name, "varlen_attention", **sizes(name))
        return
    made = built(*dict.fromkeys((name, "varlen_attention")), **sizes(name))
    scramble(made.model).eval()
    found = []
    for order in ((0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)):
        ids, targets, fields, places = packed(order)
        scores = made.model(ids, targets, phases=made.phases, reduction="none", fields=fields)[0]
        found.append(torch.empty_like(scores).index_copy_(0, places, scores))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-4)


def test_without_numbers_documents_do_see_each_other():
    """What the test above would miss if its scores never depended on the order."""
    made = built("varlen_attention")
    scramble(made.model).eval()
    one, two = (packed(order) for order in ((0, 1, 2, 3), (2, 0, 3, 1)))
    scores = [made.model(ids, targets, reduction="none")[0] for ids, targets, _, _ in (one, two)]
    again = torch.empty_like(scores[1]).index_copy_(0, two[3], scores[1])
    assert (again - scores[0]).abs().max() > 0.01


@pytest.mark.parametrize("name", FORWARD)
def test_an_adapter_learns_at_every_step_and_adds_up_in_the_scores(name):
    """Test-time training of documents: frozen weights, scores of each token, gradients in every factor of the plan's steps."""
    made = built(name, **sizes(name))
    scramble(made.model).eval().requires_grad_(False)
    ids, targets = tokens()
    plan = made.program.layer_plan(made.phases)
    lora = Lora(made.model, plan, 2, zero=False)
    seen = set()
    delta = lora.delta
    lora.delta = lambda x, site, position: seen.add((site, position)) or delta(x, site, position)
    for pair in lora.factors.values():
        for factor in pair:
            factor.requires_grad_(True)
    scores = made.model(ids, targets, phases=made.phases, reduction="none", adapter=lora)
    assert not torch.equal(scores, made.model(ids, targets, phases=made.phases, reduction="none"))
    scores.sum().backward()
    steps = len(plan[0]) + len(plan[1])
    assert {position for site, position in seen if site == "mlp"} == set(range(steps))
    idle = [place for place in seen if lora.factors[place][1].grad is None or not lora.factors[place][1].grad.any()]
    assert not idle and ("head", 0) in seen


@pytest.mark.parametrize("name", FORWARD)
def test_all_weights_can_learn_from_scores(name):
    """Test-time training by SGD: the scoring forward under the phases of scoring gives gradients to what may change."""
    made = built(name, **sizes(name))
    scramble(made.model).eval()
    ids, targets = tokens()
    phases = tuple(spec.name for spec in made.program.phases if spec.scoring)
    mean = made.model(ids, targets, phases=phases, reduction="none").mean()
    mean.backward()
    before, gradients = mean.item(), {}
    for record in made.parameters:
        for stored in record.stored_names():
            gradient = made.model.get_parameter(stored).grad
            assert gradient is None or gradient.isfinite().all(), stored
            if record.adapt and gradient is not None:
                gradients[stored] = gradient
    assert gradients["tok_emb.weight"].any()
    norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
    with torch.no_grad():
        for stored, gradient in gradients.items():
            made.model.get_parameter(stored).sub_(gradient * (1e-2 / norm))
        after = made.model(ids, targets, phases=phases, reduction="none").mean().item()
    assert after < before


@pytest.mark.parametrize("name", [name for name in FORWARD if name not in ("ntk_rope",)])
@torch.no_grad()
def test_a_padded_row_has_the_scores_of_the_row_alone(name):
    """Windows and chunks are filled up on the right."""
    made = built(name, **sizes(name))
    scramble(made.model).eval()
    ids, targets = tokens()
    alone = made.model(ids[:1, :20], targets[:1, :20], phases=made.phases, reduction="none")
    rows = ids.clone()
    rows[:, 20:] = 0
    filled = made.model(rows, targets, phases=made.phases, reduction="none")
    torch.testing.assert_close(filled[:1, :20], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["bank_qat", "noisy_qat", "qat", "soft_round"])
@torch.no_grad()
def test_fake_quantization_is_of_training_alone(name):
    """Scores, calibration, adapters and updates of all weights see the weights as they are, also in its phase."""
    made, plain = (built("banks", *names, **sizes(*names)) for names in ((name,), ()))
    scramble(made.model)
    plain.model.load_state_dict(made.model.state_dict())
    ids, targets = tokens()
    found = [one.model.eval()(ids, targets, phases=made.phases, reduction="none") for one in (made, plain)]
    assert torch.equal(*found)
    fields = {"soft_round_alpha": torch.tensor(2.0)}
    found = [one.model.train()(ids, targets, phases=made.phases, fields=fields) for one in (made, plain)]
    assert not torch.equal(*found)
