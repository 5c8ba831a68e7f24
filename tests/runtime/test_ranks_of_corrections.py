"""Ranks against the corrections themselves: errors by encoding again, choices by trying all."""

import itertools
import math

import pytest
import torch
from models import built, scramble

from pgolf.runtime.export import Requantizer, encode_model, quantization_classes
from pgolf.runtime.ledger import Ledger
from pgolf.runtime.parameters import canonical_state
from pgolf.runtime.ranks import Columns, column_bits, highest_price, ranks_at, saved_bits, try_ranks, with_ranks

SIZES = {"model_dim": 64, "num_layers": 2, "mlp_hidden": 1200, "vocab_size": 300}


@pytest.fixture(scope="module")
def quantized():
    """(encoded without corrections, requantizer); two matrices have errors of low rank."""
    plain = {"lqer_asym_enabled": False, "lqer_factor_bits": 8}
    made = built("sdclip", "lqer", lqer_top_k=2, lqer_rank=3, mlp_clip_sigmas=2.0, **plain, **SIZES)
    state = canonical_state(scramble(made.model).state_dict(), made.parameters)
    generator = torch.Generator().manual_seed(0)
    for layer in range(2):
        tensor = state[f"blocks.{layer}.mlp.fc.weight"]
        for column in range(2 + layer):  # clipping takes off what is large
            tensor[:, column] += 3.0 * torch.randn(len(tensor), generator=generator)
    without = made.program._replace(corrections=())
    encoded = encode_model(state, made.parameters, without, {}, Ledger())
    classes = quantization_classes(made.parameters)
    return encoded, Requantizer(state, made.parameters, made.program, {}, classes)


def test_errors_are_those_of_corrections_of_that_rank(quantized):
    encoded, requantizer = quantized
    columns = try_ranks(encoded, "lqer", requantizer)
    assert sorted(columns) == ["blocks.0.mlp.fc.weight", "blocks.1.mlp.fc.weight"]
    lqer = requantizer.program.corrections[0]
    for name, found in columns.items():
        assert len(found.errors) == 4 and found.errors == sorted(found.errors, reverse=True)
        assert found.errors[0] == pytest.approx(requantizer.error(name, encoded[name]))
        weight = requantizer.state[name]
        plain = encoded[name]["codes"].float() * encoded[name]["step"].float()[:, None]
        for rank in (1, 3):
            u, s, v = torch.linalg.svd(weight - plain)
            best = (weight - plain - u[:, :rank] * s[:rank] @ v[:rank]).square().sum().item()
            assert best <= found.errors[rank] < 1.03 * best
        whole = requantizer.correct(encoded)[name]
        assert found.errors[3] == pytest.approx(requantizer.error(name, whole))
        assert found.bits * 3 == pytest.approx(column_bits(whole, "lqer."))
        assert whole["lqer.a"].shape[1] == lqer.rank == 3


def test_a_told_correction_has_that_rank_and_stores_no_more(quantized):
    encoded, requantizer = quantized
    first, second = "blocks.0.mlp.fc.weight", "blocks.1.mlp.fc.weight"
    told = with_ranks(encoded, "lqer", {first: 2, second: 0})
    found = requantizer.correct(told)
    assert found[first]["lqer.a"].shape[1] == 2 and "lqer.a" not in found[second]
    assert not any("lqer.rank" in parts for parts in found.values())
    assert all("lqer.a" not in parts for name, parts in found.items() if name != first)
    assert "lqer.rank" not in encoded[first]


def test_the_choice_is_the_cheapest_of_all():
    columns = {"a": Columns([9.0, 5.0, 4.5, 1.0], 2.0), "b": Columns([3.0, 3.2, 0.5], 1.0)}
    factors = {"a": 1.0, "b": 1.3}
    for price in (0.0, 0.3, 1.0, 1.4, 3.0):
        chosen = ranks_at(columns, factors, price)

        def cost(ranks, price=price):
            return sum(
                factors[name] ** 2 * found.errors[rank] + price * rank * found.bits
                for (name, found), rank in zip(columns.items(), ranks, strict=True)
            )

        assert cost(chosen.values()) == min(cost(ranks) for ranks in itertools.product(range(4), range(3)))
        left = sum(rank * columns[name].bits for name, rank in chosen.items())
        assert saved_bits(columns, chosen) == 3 * 2.0 + 2 * 1.0 - left
    top = highest_price(columns)
    assert set(ranks_at(columns, dict.fromkeys(columns, 1.0), top * 1.001).values()) == {0}
    assert highest_price({}) == 0.0 and ranks_at({}, {}, 1.0) == {}


def test_bits_are_of_different_codes_and_whole_steps():
    parts = {"codes": torch.zeros(9), "lqer.a": torch.tensor([[-2, 1, 0, -1]]), "lqer.a_step": torch.zeros(3).half()}
    assert column_bits(parts, "lqer.") == 4 * math.log2(4) + 3 * 16
