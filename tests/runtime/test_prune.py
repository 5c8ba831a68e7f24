import pytest
import torch

from pgolf.runtime.prune import Candidates, Probe, next_count, prune_ones


def encoded(count=400):
    """Codes of 0 and +-1 in two tensors with steps 2 and 1."""
    codes = (torch.arange(count) % 3 - 1).to(torch.int8).reshape(4, -1)
    return {
        "blocks.0.mlp.fc.weight": {"codes": codes, "step": torch.full((4,), 2.0)},
        "blocks.1.mlp.fc.weight": {"codes": codes, "step": torch.ones(4)},
    }


def ones_left(parts):
    return sum(int(one["codes"].abs().sum()) for one in parts.values())


@pytest.mark.parametrize("target", [100, 300, 500])
def test_exactly_as_many_go_as_are_needed_where_each_is_a_byte(target):
    whole = encoded()
    found, text = prune_ones(whole, ones_left, ones_left(whole), target, "blocks.", 8)
    assert ones_left(found) == target and text.startswith(f"{ones_left(whole) - target} of {ones_left(whole)} ")
    fine = found["blocks.1.mlp.fc.weight"]["codes"].abs().sum()
    assert fine == max(0, target - ones_left(whole) // 2), "those with the smaller step go first"


def test_the_next_number_is_on_the_line_between_too_few_and_enough():
    assert next_count(Probe(0, 110), None, 100, 1000) == 80
    assert next_count(Probe(0, 110), None, 100, 50) == 50
    assert next_count(Probe(10, 120), Probe(50, 80), 100, 1000) == 30


def test_tensors_elsewhere_are_no_candidates():
    assert len(Candidates(encoded(), "blocks.1").order) * 2 == len(Candidates(encoded(), "").order)
