"""Clips and ranks at one price: what is saved is what was asked for, and no other choice of the same bits costs less."""

import math

import pytest
import torch

from pgolf.runtime.levers import Levers, group_of

ERRORS = {"blocks.0.mlp.fc.weight": 4.0, "blocks.1.mlp.fc.weight": 1.0, "tok_emb.weight": 2.0}
RANKS = {"blocks.0.mlp.fc.weight": [9.0, 5.0, 4.0], "blocks.1.mlp.fc.weight": [1.3, 1.2, 1.0]}


class Requantizer:
    """The errors above; a correction of rank two for two of the tensors, of 32 codes of two values and 16 bits a step."""

    def correct(self, encoded):
        found = {}
        for name, parts in encoded.items():
            rank = int(parts.get("lqer.rank", 2)) if name in RANKS else 0
            codes = torch.arange(16 * rank).reshape(16, rank) % 2
            found[name] = {**parts, "lqer.a": codes, "lqer.step": torch.zeros(rank).half()} if rank else dict(parts)
        return found

    def error(self, name, parts):
        rank = parts["lqer.a"].shape[1] if "lqer.a" in parts else 0
        return RANKS[name][rank] if name in RANKS else ERRORS[name]


@pytest.fixture
def levers():
    encoded = {name: {"codes": torch.zeros(10, 10)} for name in ERRORS} | {"scale": {"kept": torch.zeros(3)}}
    return Levers(encoded, Requantizer(), "lqer", "tensor", 3.0, "")


def test_what_is_known_of_every_lever(levers):
    assert levers.errors == ERRORS and set(levers.counts.values()) == {100}
    assert {name: found.errors for name, found in levers.columns.items()} == RANKS
    assert all(found.bits == 32.0 for found in levers.columns.values())


@pytest.mark.parametrize("bits", [40.0, 150.0, 300.0])
def test_no_other_choice_of_as_many_bits_costs_less(levers, bits):
    factors, ranks = levers.save(bits)

    def outcome(factors, ranks):
        left = {name: RANKS[name][rank] for name, rank in ranks.items()}
        cost = sum(factors[name] ** 2 * left.get(name, error) for name, error in ERRORS.items())
        columns = 32 * sum(2 - rank for rank in ranks.values())
        return cost, columns + 100 * sum(math.log2(factor) for factor in factors.values())

    cost, saved = outcome(factors, ranks)
    assert saved >= bits - 1e-3
    steps = [3.0 ** (step / 12) for step in range(13)]
    first, second, third = ERRORS
    for one in steps:
        for two in steps:
            for three in steps:
                for left in range(3):
                    for right in range(3):
                        tried = {first: one, second: two, third: three}, {first: left, second: right}
                        other, enough = outcome(*tried)
                        assert enough < saved or other > 0.97 * cost


def test_all_that_can_be_saved_is_the_limit(levers):
    factors, ranks = levers.save(1e9)
    assert set(factors.values()) == {3.0} and set(ranks.values()) == {0}
    assert levers.saved(1e9) == pytest.approx(300 * math.log2(3.0) + 4 * 32)


def test_what_may_not_change_keeps_its_clip_and_its_columns():
    encoded = {name: {"codes": torch.zeros(10, 10)} for name in ERRORS}
    levers = Levers(encoded, Requantizer(), "lqer", "tensor", 3.0, "blocks.0.")
    factors, ranks = levers.save(1e9)
    assert factors == {"blocks.0.mlp.fc.weight": 3.0, "blocks.1.mlp.fc.weight": 1.0, "tok_emb.weight": 1.0}
    assert ranks == {"blocks.0.mlp.fc.weight": 0, "blocks.1.mlp.fc.weight": 2} and levers.at_limit(factors)
    assert levers.errors == ERRORS and levers.saved(1e9) == pytest.approx(100 * math.log2(3.0) + 2 * 32)


def test_groups():
    assert group_of("blocks.3.mlp.fc.weight", "class") == "mlp"
    assert group_of("blocks.3.mlp.fc.weight", "tensor") == "blocks.3.mlp.fc.weight"
    assert group_of("tok_emb.weight", "class") == "tok_emb.weight"
