"""Steps by sensitivity: the formula by hand, the price of a bit by measurement, and what is left alone."""

import math
from types import SimpleNamespace

import pytest
import torch
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.calibrate import collect_statistics
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.output_gradients import Gradients, smooth_lookup
from pgolf.runtime.quantize import SpreadRecipe, damped_hessian, restore_tensor
from pgolf.runtime.stages import Stages
from pgolf_plugins.quantizer.gptq import Gptq, inverse_factor
from pgolf_plugins.quantizer.sensitivity import (
    PRICE,
    SensitiveSteps,
    join_uses,
    mean_pivot,
)

WIDE = {"model_dim": 320, "num_heads": 8, "num_kv_heads": 4, "num_layers": 2, "max_wallclock_seconds": 0}
ALONE = SimpleNamespace(rank=0, world_size=1, device=torch.device("cpu"))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def hessian_of(columns, seed=0):
    inputs = normal(3 * columns, columns, seed=seed) @ normal(columns, columns, seed=seed + 1)
    return inputs.T @ inputs / len(inputs)


def trained(*names, **settings):
    """A session with statistics of its scrambled model."""
    made = built("gptq", "sensitivity", *names, **{**WIDE, **settings})
    scramble(made.model)
    batches = [tokens(4, 33, seed=seed)[0] for seed in (0, 1)]
    session = SimpleNamespace(
        model=made.model,
        program=made.program._replace(calibration_source=lambda session: batches),
        parameters=made.parameters,
        settings=made.model.settings,
        env=SimpleNamespace(seed=1),
        world=ALONE,
        ledger=Ledger(),
        scoring_phases=lambda: tuple(spec.name for spec in made.program.phases if spec.scoring),
        stages=Stages(lambda line: None),
    )
    return session, batches


def test_the_mean_pivot_is_that_of_gptqs_factor():
    damped = damped_hessian(hessian_of(40), 0.01)[0]
    order = damped.diagonal().argsort(descending=True, stable=True)
    factor = inverse_factor(damped[order][:, order].double())
    wanted = factor.diagonal().square().reciprocal().mean().item()
    assert mean_pivot({"hessian": hessian_of(40)}, 0.01).item() == pytest.approx(wanted, rel=1e-4)
    assert mean_pivot({"hessian": -torch.eye(3)}, 0.01).item() == pytest.approx(-1.01), (
        "without a factor the diagonal stands in"
    )


def test_steps_by_hand():
    weight, importance = normal(3, 50), torch.tensor([1.0, 4.0, 16.0])
    tap = SensitiveSteps(1e-3, 1.0, 0.01)
    clip = tap(weight, torch.ones(3), 127, {"importance": importance}, Ledger())
    for found, weighed in zip(clip.tolist(), importance.tolist(), strict=True):
        assert found / 127 == pytest.approx(math.sqrt(12 * 1e-3 / (math.log(2) * weighed)), rel=1e-5)
    factor = {"importance": importance, PRICE: torch.tensor(4.0)}
    torch.testing.assert_close(tap(weight, torch.ones(3), 127, factor, Ledger()), 2 * clip)
    half = SensitiveSteps(1e-3, 0.5, 0.01)(weight, torch.full((3,), 9.0), 127, {"importance": importance}, Ledger())
    torch.testing.assert_close(half, (clip * 9).sqrt())


def test_no_weight_is_clipped_no_step_is_endless_and_without_statistics_nothing_changes():
    weight, clip = normal(3, 50), torch.ones(3)
    fine = SensitiveSteps(1e-30, 1.0, 0.01)(weight, clip, 7, {"importance": torch.ones(3)}, Ledger())
    torch.testing.assert_close(fine, weight.abs().amax(1))
    coarse = SensitiveSteps(1e30, 1.0, 0.01)(weight, clip, 7, {"importance": torch.zeros(3)}, Ledger())
    torch.testing.assert_close(coarse, 8 * 7 * weight.std(1))
    assert SensitiveSteps(1.0, 1.0, 0.01)(weight, clip, 7, {}, Ledger()) is clip


def test_the_importance_predicts_what_rounding_costs_a_linear_loss_in_squares():
    """y = W x, loss sum_i a_i y_i^2 / 2, whose Fisher diagonal is a: half of it times the error of the row."""
    columns, rows = 60, 40
    hessian, weight = hessian_of(columns), normal(rows, columns, seed=5)
    scale = torch.rand(rows, generator=torch.Generator().manual_seed(6)) + 0.1
    # For a loss a_i y_i^2 / 2 whose targets are drawn with variance 1 / a_i the Fisher diagonal is a_i.
    statistics = {"w": {"hessian": hessian.double(), "fisher": scale.double()}}
    fisher = join_uses(statistics, ALONE, Ledger())["w"]["fisher"]
    tap = SensitiveSteps(1e-2, 1.0, 0.01)
    known = {"hessian": hessian, "fisher": fisher.float()}
    recipe = SpreadRecipe("sdclip", "int8", 127, 20.0, (tap,), Gptq(128, 0.01))
    step = recipe.steps(weight, known, Ledger())
    codes = Gptq(128, 0.01)("w", weight, step, 127, known, Ledger())
    error = (weight - restore_tensor({"codes": codes, "step": step}, torch.float32)).double()
    cost = 0.5 * (scale * ((error @ hessian.double()) * error).sum(1)).sum().item()
    # Each code adds importance * step^2 / 24 = price / (2 ln 2).
    assert cost == pytest.approx(rows * columns * 1e-2 / (2 * math.log(2)), rel=0.1)


def test_lookups_of_rare_tokens_are_not_free():
    smoothed = smooth_lookup(torch.tensor([0.0, 10.0]))
    assert smoothed[0] > 0 and smoothed[1] > 100 * smoothed[0]


def test_every_large_matrix_is_weighed():
    session, _ = trained("layer_loop", loop_start=0, loop_end=1, num_loops=1)
    statistics, count = collect_statistics(session)
    assert count == 2
    for name in ("tok_emb.weight", "blocks.0.mlp.fc.weight", "blocks.1.attn.c_q.weight"):
        fisher = statistics[name]["fisher"]
        assert fisher.shape == session.model.matrices()[name].shape[:1] and (fisher > 0).all()
        assert set(statistics[name]) == {"hessian", "fisher"}
    assert "micro-batches differentiated" in session.ledger.receipt("sensitivity")


def test_only_the_first_batches_are_differentiated():
    session, batches = trained()
    gradients = Gradients(1, True)
    assert gradients(session, batches[0], 8) == {} and "tok_emb.weight" in gradients(session, batches[0], 7)


def test_small_changes_of_a_row_cost_what_the_statistics_say_up_to_a_factor():
    """Noise on one matrix: the rise of the loss against half of fisher times the weighted error, with samples of the model."""
    session, batches = trained(sensitivity_targets="samples")
    found = Gradients(1, True)(session, batches[0], 0)
    name, tokens_seen = "blocks.0.mlp.fc.weight", batches[0].numel()
    inputs = []

    def observe(role, layer, x):
        if (role, layer) == ("mlp.fc", 0):
            inputs.append(x.detach().flatten(0, -2).double())

    ids, model = batches[0], session.model.eval()
    with torch.no_grad():
        reference = log_probabilities(session, ids)
        model(ids, ids, (), "none", observe=observe)
        weight = model.get_parameter(name)
        kept = weight.clone()
        noise = 0.02 * normal(*weight.shape, seed=9)
        weight += noise
        new = log_probabilities(session, ids)
        weight.copy_(kept)
    rise = (reference.exp() * (reference - new)).sum(-1).mean().item()
    errors = noise.double() @ (inputs[0].T @ inputs[0])
    predicted = 0.5 * (found[name]["fisher"] * (errors * noise.double()).sum(1)).sum().item()
    assert tokens_seen == len(inputs[0]) and 0.4 < predicted / rise < 2.5


def log_probabilities(session, ids):
    from pgolf.runtime.context import Context

    model = session.model
    ctx = Context(ids, (), False, model.matrices(), {}, {}, None, None, None)
    return model.logits(model.hidden(ids, ctx), ctx).double().log_softmax(-1)


def test_unusable_settings_are_build_errors():
    with pytest.raises(PgolfError, match="sensitivity_price"):
        resolved("sensitivity", "gptq", sensitivity_price=0.0, max_wallclock_seconds=0)
    with pytest.raises(PgolfError, match="sensitivity_share"):
        resolved("sensitivity", "gptq", sensitivity_share=1.5, max_wallclock_seconds=0)
    entry = resolved("sensitivity", "gptq", sensitivity_columns=True, max_wallclock_seconds=0).entry
    assert "ColumnRecipe(damp=0.01, inner=SpreadRecipe(" in entry
    assert "SensitiveColumns(damp=0.01, price=1.25e-10, share=1.0)" in entry
    rows = resolved("sensitivity", "trellis", max_wallclock_seconds=0).entry
    assert "ColumnRecipe" not in rows and "SensitiveSteps(" in rows


def test_both_uses_of_a_tied_embedding_count_by_row_and_in_the_hessian():
    hessian = torch.diag(torch.tensor([1.0, 3.0], dtype=torch.float64))
    known = {
        "fisher": torch.tensor([1.0, 3.0]).double(),
        "hessian": hessian,
        "lookup": torch.tensor([8.0, 0.0]).double(),
    }
    found = join_uses({"tok_emb.weight": known}, ALONE, Ledger())["tok_emb.weight"]
    # On the mean over rows a lookup is 4 against 2 of the head: 2 on every diagonal element.
    assert found["hessian"].diagonal().tolist() == [3.0, 5.0] and "lookup" not in found
    assert found["fisher"].tolist() == pytest.approx([(1 * 2 + 8) / 4, (3 * 2 + 0) / 4])
    alone = join_uses({"tok_emb.weight": {"lookup": torch.tensor([1.0, 2.0])}}, ALONE, Ledger())["tok_emb.weight"]
    assert alone["importance"].tolist() == [1.0, 2.0]
