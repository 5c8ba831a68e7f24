"""Banks are the matrices of the per-layer layout, stacked: the same names, starts, and losses."""

import pytest
import torch

from pgolf.testing import make_model, resolve_tiny, tiny_tokens

BANKS = {"qo_bank": (8, 64, 64), "kv_bank": (8, 32, 64), "mlp_up_bank": (4, 128, 64), "mlp_down_bank": (4, 64, 128)}


@pytest.fixture(scope="module")
def pair():
    return make_model("banks", "parallel_muon"), make_model()


def test_shapes(pair):
    stored = dict(pair[0].model.named_parameters())
    assert {name: tuple(stored[name].shape) for name in BANKS} == BANKS
    assert not [name for name in stored if name.startswith("blocks.") and name.endswith(("c_q.weight", "proj.weight"))]


def test_members_have_the_names_and_starts_of_the_other_layout(pair):
    banked, apart = (made.model.matrices() for made in pair)
    assert set(banked) == set(apart)
    assert all(torch.equal(banked[name], apart[name]) for name in apart)


def test_a_member_is_a_view_at_its_place(pair):
    bank, members = pair[0].model.get_parameter("qo_bank"), pair[0].model.matrices()
    for layer in range(4):
        assert members[f"blocks.{layer}.attn.c_q.weight"].data_ptr() == bank[layer].data_ptr()
        assert members[f"blocks.{layer}.attn.proj.weight"].data_ptr() == bank[4 + layer].data_ptr()


def test_the_loss_and_its_gradient_are_those_of_the_other_layout(pair):
    banked, apart = (made.model for made in pair)
    with torch.no_grad():
        for name, tensor in banked.matrices().items():
            tensor.copy_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(len(name))) / 8)
            apart.matrices()[name].copy_(tensor)
    losses = [model(*tiny_tokens()) for model in (banked, apart)]
    assert torch.equal(*losses)
    for loss in losses:
        loss.backward()
    grad = banked.get_parameter("kv_bank").grad
    for layer in range(4):
        for place, name in ((layer, "c_k"), (4 + layer, "c_v")):
            assert torch.equal(grad[place], apart.get_parameter(f"blocks.{layer}.attn.{name}.weight").grad)


def test_it_comes_with_the_optimizer_that_knows_banks():
    assert "parallel_muon" in resolve_tiny("banks").entry
