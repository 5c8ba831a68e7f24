"""Training on 1, 2 and 4 ranks (threads; gloo in the slow run): one update, equal weights, a warm-up without a trace."""

import pytest
import tiny_training
import torch
from processes import run_ranks
from thread_group import ThreadGroup
from tiny_training import DECAYED, FROZEN, LAYOUTS, LR, STEPS, TinySession


@pytest.fixture(scope="module", params=["threads", pytest.param("processes", marks=pytest.mark.slow)])
def found(request, tmp_path_factory):
    """World size -> what each rank found."""
    if request.param == "processes":
        folder = tmp_path_factory.mktemp("ranks")
        return {size: run_ranks(tiny_training.__file__, size, folder) for size in (1, 2, 4)}
    with pytest.MonkeyPatch.context() as patch:
        return {size: ThreadGroup(size).run(patch, tiny_training.train_everything) for size in (1, 2, 4)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ranks_have_equal_weights_after_ten_steps(found, layout):
    for ranks in found.values():
        for other in ranks[1:]:
            assert all(torch.equal(tensor, other[layout][name]) for name, tensor in ranks[0][layout].items())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_number_of_ranks_does_not_change_the_update(found, layout):
    for size in (2, 4):
        for name, tensor in found[1][0][layout].items():
            torch.testing.assert_close(
                found[size][0][layout][name], tensor, rtol=1e-5, atol=1e-5, msg=f"{name} on {size}"
            )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_warm_up_leaves_no_trace_on_any_rank(found, layout):
    for ranks in found.values():
        for rank in ranks:
            assert all(torch.equal(tensor, rank[layout + " warm"][name]) for name, tensor in rank[layout].items())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_taps_act_on_the_matrices_they_name(found, layout):
    """A frozen matrix stays as it was, a halved one is small, on every rank; all else moves."""
    first = TinySession(layout, tiny_training.ALONE).train(steps=0)
    for ranks in found.values():
        last = ranks[0][layout]
        assert [name for name in last if torch.equal(last[name], first[name])] == [FROZEN]
        assert last[DECAYED].abs().max() <= 2 * LR * 2**0.5 * 1.3 + first[DECAYED].abs().max() / 2**STEPS
        assert ranks[0][layout + " receipts"] == ["3 matrices in blocks of rows", f"{STEPS} matrices"]


def test_layers_and_banks_train_alike(found):
    """Up to the bfloat16 momentum of banks: 0.12 lr a step, and what does not go through a bank bit for bit."""
    layers, banks = found[1][0]["layers"], found[1][0]["banks"]
    assert sorted(layers) == sorted(banks)
    for name, tensor in layers.items():
        bound = 0.12 * LR * STEPS * 2**0.5 if tensor.ndim == 2 and "tok_emb" not in name else 0.0
        assert (tensor - banks[name]).abs().max() <= bound, name
