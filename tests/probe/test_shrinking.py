"""Hyperparameters are found and made small; nothing else moves."""

import ast

import pytest

from pgolf.probe.shrinking import Sizes, number, settings, shown, shrink

TEXT = """
import os
from dataclasses import dataclass


def setting(name, default):
    return type(default)(os.environ.get(name, default))


class Hyperparameters:
    vocab_size = int(os.environ.get("VOCAB_SIZE", "1_024"))
    train_seq_len = int(os.environ.get("TRAIN_SEQ_LEN", 2 * 1024))
    num_layers = int(os.environ.get("NUM_LAYERS", 11))
    num_heads = setting("NUM_HEADS", 8)
    model_dim = setting("MODEL_DIM", 512)
    bigram_vocab_size = setting("BIGRAM_VOCAB_SIZE", 10240)
    lora_rank = 96
    matrix_rank_note = "LOCAL_RANK"


@dataclass
class Config:
    eval_stride: int = 64; iterations: int = 20_000
    betas: tuple = (0.9, 0.95)


rank = int(os.environ.get("LOCAL_RANK", 0))
"""


def test_environment_and_literals():
    small = shrink(TEXT, Sizes())
    assert small.environment == {
        "VOCAB_SIZE": "320", "TRAIN_SEQ_LEN": "64", "MODEL_DIM": "128", "BIGRAM_VOCAB_SIZE": "512"
    }  # fmt: skip
    assert "lora_rank = 4\n" in small.text and "eval_stride: int = 16; iterations: int = 2\n" in small.text
    assert small.text.count("\n") == TEXT.count("\n") and ast.parse(small.text)
    assert small.vocabulary == 320 and "LOCAL_RANK" not in small.changed


def test_widths_can_stay():
    assert "MODEL_DIM" in shrink(TEXT, Sizes(widths=False)).changed
    assert shrink(TEXT, Sizes(widths=False)).environment["MODEL_DIM"] == "512"


def test_a_script_without_hyperparameters():
    small = shrink("print(1)\n", Sizes())
    assert (small.text, small.environment, small.vocabulary) == ("print(1)\n", {}, 0)
    with pytest.raises(SyntaxError):
        shrink("def (", Sizes())


def test_numbers():
    values = ["4 * 1024", "'524_288'", "1 << 22", "2 ** 20", "3.5", "x", "'a'", "10 ** 10 ** 10"]
    assert [number(ast.parse(text, mode="eval").body) for text in values] == [
        4096, 524288, 1 << 22, 1 << 20, 3.5, None, None, None
    ]  # fmt: skip
    assert shown(64.0, 512) == "64" and shown(0.5, 1.0) == "0.5"
    assert dict(settings(ast.parse("f('A', 1)\nf('ABC_D', 7)\nf('ABC_D')"))) == {"ABC_D": 7}


def test_one_rank_runs_no_more_than_its_share():
    small = shrink("class Hyperparameters:\n    grad_accum_steps = 8 // world_size\n    heads = 8 // groups\n", Sizes())
    assert "grad_accum_steps = 1 // world_size" in small.text and "heads = 8 // groups" in small.text
