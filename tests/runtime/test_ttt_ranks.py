"""Test-time training on 1, 2 and 4 ranks (gloo) gives the same scores, whoever takes which work."""

from functools import cache

import pytest
import torch
import ttt_worker
from processes import run_ranks

pytestmark = pytest.mark.ci  # the ranks take half a minute
MANY = pytest.mark.parametrize("size", [2, 4])
DETERMINISTIC = ["phased", "muon", "sgd", "etlb", "discriminative"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """World size -> what each rank found; a world is run when it is first asked for."""
    return cache(lambda size: run_ranks(ttt_worker.__file__, size, tmp_path_factory.mktemp(f"ttt{size}")))


@MANY
@pytest.mark.parametrize("name", ["ttt_unphased", "ttt_phased_2ph", "ttt_sgd_u2", "muon", "etlb", "discriminative"])
def test_scores_do_not_depend_on_the_number_of_ranks(found, name, size):
    alone = found(1)[0][name]
    assert not alone["nll"].isnan().any()
    ranks = [rank[name] for rank in found(size)]
    scored = torch.stack([~rank["nll"].isnan() for rank in ranks])
    assert (scored.sum(0) == 1).all(), "every target by one rank"
    assert (scored.any(1)).sum() > 1, "the work is shared"
    together = torch.stack([rank["nll"].nan_to_num() for rank in ranks]).sum(0)
    torch.testing.assert_close(together, alone["nll"], rtol=2e-4, atol=2e-4)
    for rank in ranks:
        assert rank["loss"] == pytest.approx(alone["loss"], rel=1e-6)
        assert torch.equal(rank["weights"], ranks[0]["weights"]), "base weights stay equal on all ranks"
        learned = rank["learned"] < 2**31 - 1
        assert (rank["learned"][learned] > rank["scored"][learned]).all() and learned.any()


@MANY
@pytest.mark.parametrize("name", [f"deterministic {name}" for name in DETERMINISTIC])
def test_where_kernels_are_deterministic_no_bit_depends_on_the_number_of_ranks(found, name, size):
    alone = found(1)[0][name]
    ranks = [rank[name] for rank in found(size)]
    assert (sum(~rank["nll"].isnan() for rank in ranks) == 1).all(), "every target by one rank"
    assert torch.equal(sum(rank["nll"].nan_to_num() for rank in ranks), alone["nll"])
    for rank in ranks:
        assert rank["loss"] == alone["loss"] and torch.equal(rank["weights"], alone["weights"])


@MANY
def test_windows_have_equal_bits_too(found, size):
    assert len({rank["windows"]["loss"] for world in (1, size) for rank in found(world)}) == 1


def test_muon_is_what_learns_where_it_is_chosen(found):
    muon, adam = (found(1)[0][name]["nll"] for name in ("muon", "ttt_unphased"))
    assert not torch.equal(muon, adam)
