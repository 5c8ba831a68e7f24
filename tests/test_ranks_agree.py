"""Incidents as tests: a tensor that one rank updates alone trains apart; two ranks must do what one does."""

import functools
from pathlib import Path

import pytest
import torch
from micro import micro

from pgolf.testing.runs import environment
from pgolf.testing.warm import Job, run_ranks

WORKER = Path(__file__).parent / "ranks_worker.py"
FOUR = pytest.param(4, marks=pytest.mark.ci)
RECIPES = {
    "matrices": ("ema", "cautious_weight_decay", "row_normalize", "paired_muon", "skip_gates"),
    "banks": ("banks", "stochastic_weight_average", "cautious_weight_decay", "row_normalize"),
    "extras": (
        "banks",
        "paired_muon",
        "normuon",
        "smear_gate_v3",
        "bigram_hash",
        "value_embedding",
        "grad_clip",
        "adam_stream",
    ),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, micro_data):
    """`trained(recipe, ranks)`: what each rank has saved."""
    root = tmp_path_factory.mktemp("ranks")

    @functools.cache
    def train(recipe, ranks):
        folder = root / f"{recipe}{ranks}"
        folder.mkdir()
        # Shares of the smallest bank differ, and one is padding alone.
        sizes = {"num_layers": 3, **({"ve_layers": "1,2"} if recipe == "extras" else {})}
        made = micro(*RECIPES[recipe], **sizes, iterations=10, train_batch_tokens=512)
        (folder / "entry.py").write_text(made.entry)
        job = Job([str(WORKER), str(folder / "entry.py"), str(folder / "{rank}.pt")], folder, environment(micro_data))
        done = run_ranks(job, ranks)
        assert done.status == 0, done.stderr[-2000:]
        return [torch.load(folder / f"{rank}.pt") for rank in range(ranks)]

    return train


@pytest.mark.parametrize("ranks", [1, 2, FOUR])
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_rank_has_the_same_parameters_after_ten_steps(recipe, ranks, trained):
    found = trained(recipe, ranks)
    assert len({rank["live"] for rank in found}) == 1 and len({rank["averaged"] for rank in found}) == 1
    assert found[0]["live"] != found[0]["averaged"] or recipe == "extras"


@pytest.mark.parametrize("ranks", [2, FOUR])
@pytest.mark.parametrize("recipe", RECIPES)
def test_more_ranks_make_the_update_of_one(recipe, ranks, trained):
    """Within what bfloat16 makes of sums in another order; a tensor that was not reduced would be off by half and more.

    Before orthogonalization: small singular values differ by more than they are, and come out as large as the others.
    """
    one, more = trained(recipe, 1)[0]["moved"], trained(recipe, ranks)[0]["moved"]
    # Behind output matrices that start at zero nothing moves in the first step.
    assert sum(update.norm() > 0 for update in one.values()) >= 3
    for name, update in one.items():
        assert (more[name] - update).norm() <= 0.02 * update.norm(), name
