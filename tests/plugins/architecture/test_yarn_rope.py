"""YaRN's frequencies and tables against the public script, and by the ramp's corners."""

import pytest
import torch
from models import Case, built, resolved

from pgolf.errors import PgolfError
from pgolf.runtime.context import Context

CASES = ["yarn_D16_train1024_max2048", "yarn_D64_train1024_max2048", "yarn_D16_train512_max4096"]


def turned(turn, x):
    """(rotated x, cos, sin)."""
    ctx = Context(None, (), True, {}, {}, {}, None, None, None)
    return turn(None, x, 0, 0, ctx), *ctx.memo["rope"]


@pytest.mark.parametrize("name", CASES)
def test_frequencies_and_tables_match_the_public_script(name):
    case = Case("unit_rope", name)
    set_to = case.record["hyperparameters"]
    sizes = {"model_dim": 4 * set_to["D"], "num_layers": 2, "train_seq_len": set_to["train_seq_len"]}
    turn = built("yarn_rope", **sizes, yarn_max_len=set_to["yarn_max_len"], rope_base=set_to["base"]).program.rotary
    case.check("inv_freq", turn.frequencies(set_to["D"], torch.device("cpu")))
    _, cos, sin = turned(turn, torch.zeros(1, set_to["T"], 2, set_to["D"]))
    case.check("cos", cos[None, :, None])
    case.check("sin", sin[None, :, None])


def test_at_equal_lengths_it_is_plain_rotation_and_so_refused():
    case = Case("unit_rope", "yarn_D16_train64_max64")
    x = torch.randn(1, 10, 2, 16, generator=torch.Generator().manual_seed(0))
    _, cos, _ = turned(built("rope", num_layers=2).program.rotary, x)
    case.check("cos", cos[None, :, None])
    with pytest.raises(PgolfError, match="yarn_max_len is 64, wanted another length than train_seq_len=64"):
        resolved("yarn_rope", yarn_max_len=64)


def test_fast_pairs_keep_their_frequency_and_the_slowest_is_slowed_by_the_ramp():
    turn = built("yarn_rope", num_layers=2, yarn_max_len=128).program.rotary
    plain = 5000.0 ** (-torch.arange(0, 16, 2) / 16)
    ratio = plain / turn.frequencies(16, torch.device("cpu"))
    torch.testing.assert_close(ratio[:3], torch.ones(3))  # i/C up to 1/4
    torch.testing.assert_close(ratio[-1].item(), (14 / 16 - 0.25) / 0.75 * (128 / 64 - 1) + 1, rtol=1e-5, atol=1e-5)


def test_rotation_keeps_lengths_and_depends_on_distance_alone():
    turn = built("yarn_rope", num_layers=2).program.rotary
    x = torch.randn(1, 1, 1, 16, dtype=torch.float32).expand(1, 9, 1, 16)
    y, *_ = turned(turn, x)
    torch.testing.assert_close(y.norm(dim=-1), x.norm(dim=-1))
    scores = y[0, :, 0] @ y[0, :, 0].T
    torch.testing.assert_close(scores[0, 3], scores[4, 7], rtol=1e-4, atol=1e-4)


def test_heads_of_an_odd_width_are_refused():
    with pytest.raises(PgolfError, match="heads of an even width"):
        resolved("yarn_rope", model_dim=60)
