"""The first step without attention: what runs, what is stored, with loops and banks."""

import pytest
import torch
from models import built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state


@torch.no_grad()
def test_it_is_the_model_whose_first_attention_adds_nothing():
    without, whole = built("disable_layer0_attn"), built()
    scramble(whole.model)
    whole.model.blocks[0].attn_scale.zero_()
    kept = {key: value for key, value in whole.model.state_dict().items() if key in without.model.state_dict()}
    without.model.load_state_dict(kept, strict=True)
    ids, targets = tokens()
    assert torch.equal(without.model(ids, targets), whole.model(ids, targets))


def test_its_matrices_are_not_stored_and_calibration_misses_none():
    made, seen = built("disable_layer0_attn"), set()
    names = set(made.model.matrices())
    roles = ("c_q", "c_k", "c_v", "proj")
    assert not names & {f"blocks.0.attn.{role}.weight" for role in roles}
    assert names >= {f"blocks.{layer}.attn.{role}.weight" for layer in (1, 2, 3) for role in roles}
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.add((role, layer)))
    assert not {place for place in seen if place[1] == 0} & {(f"attn.{role}", 0) for role in roles}


@pytest.mark.parametrize("other", ["fused_qkv", "iha"])
def test_plugins_with_matrices_of_their_own_go_with_it(other):
    made = built("disable_layer0_attn", other)
    names = set(made.model.matrices())
    assert not names & {"blocks.0.attn.c_qkv.weight", "blocks.0.attn.c_q.weight", "blocks.0.attn.proj.weight"}
    for fold in made.program.folds:
        fold(canonical_state(made.model.state_dict(), made.parameters), Ledger())
    ids, targets = tokens()
    assert made.model(ids, targets).isfinite()


def test_a_loop_that_comes_back_needs_them():
    made = built("disable_layer0_attn", "layer_loop", loop_start=0, loop_end=1, num_loops=1)
    assert "blocks.0.attn.c_q.weight" in made.model.matrices()
    ids, targets = tokens()
    for phases in ((), ("loop",)):
        ledger = Ledger()
        scramble(made.model)(ids, targets, phases=phases, ledger=ledger)
        assert ledger.receipt("disable_layer0_attn") == "1 steps without attention"
    made.model(ids, targets, phases=("loop",)).backward()
    assert made.model.blocks[0].attn.c_q.weight.grad.any()
    later = built("disable_layer0_attn", "layer_loop", loop_start=1, loop_end=2, num_loops=1)
    assert "blocks.0.attn.c_q.weight" not in later.model.matrices()


def test_banks_store_them_only_when_told_to():
    with pytest.raises(PgolfError, match="which banks stores in qo_bank"):
        resolved("disable_layer0_attn", "banks")
    made = built("disable_layer0_attn", "banks", quirk_dead_layer0_weights=True)
    assert made.model.qo_bank.shape == (8, 64, 64)


def test_calibration_sees_nothing_of_dead_matrices():
    made, seen = built("disable_layer0_attn", "banks", quirk_dead_layer0_weights=True), {}
    ids, targets = tokens()
    made.model(ids, targets, observe=lambda role, layer, x: seen.setdefault((role, layer), x))
    for role in ("attn.c_q", "attn.c_k", "attn.c_v", "attn.proj"):
        assert seen[role, 0].shape[-1] == seen[role, 1].shape[-1] and not seen[role, 0].any() and seen[role, 1].any()
