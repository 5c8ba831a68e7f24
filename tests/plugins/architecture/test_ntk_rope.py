"""Rotary positions, stretched or not, against the public scripts' tables."""

import pytest
import torch
from models import Case, built, resolved, scramble, tokens

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context

PLAIN = ["full_T12_D16_base10000", "full_T7_D8_base5000", "full_T16_D64_base10000"]
PARTIAL = [
    "partial_T20_D16_rd8_T01024_base10000",
    "partial_T40_D16_rd8_T016_base10000",
    "partial_T33_D16_rd0_T08_base10000",
    "partial_T24_D64_rd16_T01024_base10000",
    "partial_T30_D32_rd8_T012_base5000",
    "partial_T9_D12_rd12_T04_base10000",
]


STRETCHED = {"quirk_stretched_training": True}


def context(fields=None):
    return Context(None, (), True, {}, {}, fields or {}, None, None, None)


def rotary(width, **settings):
    """The component for heads of `width`, without a model."""
    return built(model_dim=4 * width, num_layers=2, **settings).program.rotary


@pytest.mark.parametrize("name", PLAIN)
def test_the_whole_head_matches_the_public_script(name):
    case = Case("unit_rope", name)
    turn = rotary(case.record["hyperparameters"]["D"], rope_base=case.record["hyperparameters"]["base"])
    case.check("y", turn(None, case.inputs["x"].transpose(1, 2), 0, 0, context()).transpose(1, 2))


@pytest.mark.parametrize("name", PARTIAL)
def test_part_of_the_head_and_longer_forwards_match_the_public_script(name):
    case = Case("unit_rope", name)
    set_to = case.record["hyperparameters"]
    made = built(
        "ntk_rope",
        model_dim=4 * set_to["D"],
        num_layers=2,
        rope_base=set_to["base"],
        rope_dims=set_to["rope_dims"],
        rope_train_seq_len=set_to["train_seq_len"],
        eval_seq_len=2048,
        **STRETCHED,
    )
    ctx = context()
    case.check("y", made.program.rotary(None, case.inputs["x"], 0, 0, ctx))
    for name, table in zip(("cos", "sin"), ctx.memo["rope"], strict=True):
        case.check(name, table[None, :, None])


@pytest.mark.parametrize("length", [40, 24])
def test_no_forward_keeps_the_base_of_a_longer_one(length):
    """The public table kept the base of 40 tokens for 24; without the switch it never grew, like `partial_rope`."""
    off, on = (Case("unit_rope", f"cached_D16_rd8_T016_40then24_flag{flag}") for flag in (0, 1))
    x = torch.randn(1, length, 2, 16, generator=torch.Generator().manual_seed(0))
    which = 1 if length == 40 else 2
    ctx = context()
    built("partial_rope", num_layers=2, rope_dims=8).program.rotary(None, x, 0, 0, ctx)
    off.check(f"cos{which}", ctx.memo["rope"][0][None, :, None])
    turn = built("ntk_rope", num_layers=2, rope_dims=8, rope_train_seq_len=16, **STRETCHED).program.rotary
    for before in (40, length):
        ctx = context()
        turn(None, torch.zeros(1, before, 2, 16), 0, 0, ctx)
    cos = ctx.memo["rope"][0]
    if length == 40:
        on.check("cos1", cos[None, :, None])
    else:
        want = (torch.arange(24)[:, None] * (10000 * 1.5 ** (8 / 6)) ** (-torch.arange(0, 8, 2) / 8)).cos()
        torch.testing.assert_close(cos, want, rtol=1e-5, atol=1e-5)
        assert not torch.allclose(cos, on.outputs["cos2"][0, :, 0], atol=1e-3)


def test_the_longest_stretch_of_a_row_sets_the_base():
    turn = built("ntk_rope", num_layers=2, rope_dims=8, rope_train_seq_len=16, **STRETCHED).program.rotary
    x = torch.randn(1, 40, 2, 16)
    rows = torch.zeros(4, 10, dtype=torch.long)
    plain = built("partial_rope", num_layers=2, rope_dims=8).program.rotary(None, x, 0, 0, context())
    assert torch.equal(turn(None, x, 0, 0, context({"segments": (rows, None)})), plain)


def test_a_short_forward_is_that_of_partial_rope_and_a_long_one_is_not():
    one = scramble(built("partial_rope", rope_dims=8).model).eval()
    two = scramble(built("ntk_rope", rope_dims=8, rope_train_seq_len=16, **STRETCHED).model).eval()
    for length in (16, 24):
        ids, targets = tokens(1, length)
        assert torch.equal(one(ids, targets), two(ids, targets)) == (length == 16)


def test_what_cannot_work_is_refused():
    with pytest.raises(PgolfError, match="rope_dims is 2, wanted an even number above 2"):
        resolved("ntk_rope", rope_dims=2, rope_train_seq_len=16, **STRETCHED)
    with pytest.raises(PgolfError, match="rope_dims is 18, wanted at most 16"):
        resolved("ntk_rope", rope_dims=18, rope_train_seq_len=16, **STRETCHED)
    with pytest.raises(PgolfError, match="rope_train_seq_len is 64, wanted less than 64"):
        resolved("ntk_rope", rope_train_seq_len=64)
    with pytest.raises(PgolfError, match="rope_train_seq_len is 0, wanted less than 64"):
        resolved("ntk_rope")
    with pytest.raises(PgolfError, match="says nothing of its documents"):
        resolved("ntk_rope", "varlen_attention", rope_train_seq_len=16)


def test_training_with_the_larger_base_is_a_quirk():
    """T0 is the training length where nothing is said, and shorter than it only on demand."""
    with pytest.raises(
        PgolfError, match="rope_train_seq_len is 16, wanted at least 64, the training length, unless quirk_"
    ):
        resolved("ntk_rope", rope_dims=8, rope_train_seq_len=16, eval_seq_len=128)
    turn = built("ntk_rope", num_layers=2, rope_dims=8, eval_seq_len=128).program.rotary
    x = torch.randn(1, 128, 2, 16)
    plain = built("partial_rope", num_layers=2, rope_dims=8).program.rotary
    for length in (64, 128):
        same = torch.equal(turn(None, x[:, :length], 0, 0, context()), plain(None, x[:, :length], 0, 0, context()))
        assert same == (length == 64)
