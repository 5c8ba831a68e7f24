"""Gradients at the outputs of matrices: against gradients of the matrices, by places of tokens, and with layers used twice."""

from types import SimpleNamespace

import pytest
import torch
from models import built, scramble, tokens

from pgolf.runtime.output_gradients import EMBEDDING, OutputGradients, differentiate, sample_targets, watched_rows


def session_of(*names, **settings):
    made = built(*names, **settings)
    scramble(made.model)
    made.model.eval()
    return SimpleNamespace(
        model=made.model,
        program=made.program,
        parameters=made.parameters,
        env=SimpleNamespace(seed=3),
        settings=made.model.settings,
        scoring_phases=lambda: tuple(spec.name for spec in made.program.phases if spec.scoring),
    )


def watch(session, ids, samples=False):
    watched = watched_rows(session.parameters)
    seen = OutputGradients(dict(watched.values()), session.settings.vocab_size, ids.device)
    differentiate(session, ids, seen, samples, "test")
    return watched, seen


def loss_of(session, ids):
    return session.model(ids[:, :-1], ids[:, 1:], session.scoring_phases(), "none").sum()


def test_the_sum_of_products_with_inputs_is_the_gradient_of_the_matrix():
    """dLoss / dW_ij = sum_t g_ti x_tj: the same gradients, seen from their other side, for a stream of one token."""
    session = session_of("layer_matrices")
    ids = tokens(1, 2)[0]
    watched, seen = watch(session, ids)
    inputs = {}

    def observe(role, layer, x):
        inputs[role, layer] = x.detach().flatten(0, -2)

    with torch.no_grad():
        session.model(ids[:, :-1], ids[:, 1:], session.scoring_phases(), "none", observe=observe)
    loss_of(session, ids).backward()
    matrices = session.model.matrices()
    checked = 0
    for name, (key, rows) in watched.items():
        if key not in inputs or not name.startswith("blocks."):
            continue
        # One token: dW = g x^T, so the squares of g are the row sums of dW^2 over |x|^2.
        gradient = session.model.get_parameter(name).grad
        wanted = gradient.square().sum(1) / inputs[key].square().sum().clamp_min(1e-30)
        assert matrices[name].shape[0] == rows
        torch.testing.assert_close(seen.sums[key].float(), wanted, rtol=1e-3, atol=1e-9)
        checked += 1
    assert checked == 6 * session.settings.num_layers


def test_places_of_a_token_add_up_in_the_embedding():
    session = session_of()
    ids = tokens(2, 9)[0]
    _, seen = watch(session, ids)
    here = ids[:, :-1]
    assert set(seen.sums[EMBEDDING].nonzero().flatten().tolist()) <= set(here.flatten().tolist())
    assert seen.uses[EMBEDDING] == here.numel() and seen.sums[EMBEDDING].sum() > 0


def test_zeros_change_no_loss_and_leave_no_gradient():
    session = session_of()
    ids = tokens(2, 9)[0]
    before = loss_of(session, ids)
    watched = watched_rows(session.parameters)
    seen = OutputGradients(dict(watched.values()), session.settings.vocab_size, ids.device)
    with torch.no_grad():
        after = session.model(ids[:, :-1], ids[:, 1:], session.scoring_phases(), "none", adapter=seen, observe=seen)
    assert torch.equal(before.detach(), after.sum())
    differentiate(session, ids, seen, False, "test")
    assert all(parameter.grad is None for parameter in session.model.parameters())


def test_a_looped_layer_counts_every_use():
    session = session_of("layer_loop", loop_start=1, loop_end=2, num_loops=1, num_layers=4)
    _, seen = watch(session, tokens(2, 9)[0])
    assert seen.uses["mlp.fc", 1] == 2 * seen.uses["mlp.fc", 0] == 2 * 16


def test_a_tied_head_is_watched_under_its_role_and_an_untied_embedding_by_its_places_alone():
    assert watched_rows(session_of().parameters)["tok_emb.weight"][0] == ("head", 0)
    untied = watched_rows(session_of("untied_head").parameters)
    assert "tok_emb.weight" not in untied and untied["lm_head.weight"][0] == ("head", 0)


@pytest.mark.parametrize("place", [0, 5])
def test_samples_depend_on_their_key_alone_and_follow_the_model(place):
    session = session_of()
    ids = tokens(2, 9)[0]
    one = sample_targets(session, ids, "a")
    assert torch.equal(one, sample_targets(session, ids, "a"))
    assert not torch.equal(one, sample_targets(session, ids, "b"))
    many = torch.stack([sample_targets(session, ids, str(number))[0, place] for number in range(300)])
    with torch.no_grad():
        surprise = [session.model(ids, torch.full_like(ids, token), (), "none")[0, place] for token in many.unique()]
    expected = sum(torch.exp(-value).item() for value in surprise)
    assert expected > 0.5, "tokens that were drawn have most of the probability"


def test_a_product_that_is_not_shown_is_not_counted():
    """A gate computes the queries a second time, after keys and values of another width, and hides that from calibration."""
    seen = OutputGradients({("attn.c_q", 0): 6, ("attn.c_v", 0): 3}, 0, torch.device("cpu"))
    x = torch.zeros(1, 2, 4)
    for role, rows in (("attn.c_q", 6), ("attn.c_v", 3)):
        seen(role, 0, x)
        assert seen.delta(x, role, 0).shape == (1, 2, rows)
    assert seen.delta(x, "attn.c_q", 0).shape == ()
