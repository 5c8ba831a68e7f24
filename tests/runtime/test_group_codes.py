import numpy as np
import pytest
import torch

from pgolf.runtime.group_codes import (
    GroupRecipe,
    decoded_codes,
    group_codes,
    join_rows,
    scaled_codes,
    split_rows,
    use_codes,
)
from pgolf.runtime.ledger import Ledger
from pgolf.testing import tiny_context


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("columns", [64, 100])
def test_the_definition_group_by_group(binary, columns):
    weight = torch.randn(6, columns, generator=torch.Generator().manual_seed(1))
    weight[2] = 0.0
    codes, scale = group_codes(weight, 32, binary)
    for row in range(6):
        for group, start in enumerate(range(0, columns, 32)):
            values = [value.item() for value in weight[row, start : start + 32]]
            wanted = np.float16(sum(map(abs, values)) / 32)
            assert abs(scale[row, group].item() - wanted) <= 1e-3 * wanted
            for value, code in zip(values, codes[row, start : start + 32].tolist(), strict=True):
                ternary = max(-1, min(1, round(value / scale[row, group].item()))) if scale[row, group] else 0
                assert code == ((1 if value >= 0 else -1) if binary else ternary)
    assert torch.equal(join_rows(split_rows(weight, 32), columns), weight)


@pytest.mark.parametrize("binary", [False, True])
def test_what_is_decoded_has_the_same_codes_and_scales_and_again(binary):
    weight = torch.randn(40, 100, generator=torch.Generator().manual_seed(3)) * 0.02
    codes, scale = group_codes(weight, 32, binary)
    for _ in range(3):
        weight = decoded_codes(codes, scale, 32)
        again = group_codes(weight, 32, binary)
        assert torch.equal(again[0], codes) and torch.equal(again[1], scale)
    torch.testing.assert_close(scaled_codes(codes, scale, 32), codes * scale.float().repeat_interleave(32, 1)[:, :100])


def test_only_the_layers_matrices_take_part():
    weight, recipe, ctx = torch.randn(4, 8), GroupRecipe("ternary", 4, False), tiny_context()
    assert use_codes(None, weight, "head", 0, 0, ctx, "ternary", 4, False) is weight
    assert set(recipe.encode("blocks.0.attn.gate.weight", weight, {}, Ledger())) == {"kept"}
    assert set(recipe.encode("blocks.0.attn.c_v.weight", weight, {}, Ledger())) == {"codes", "scale"}
    assert ctx.ledger.receipt("ternary") == ""
