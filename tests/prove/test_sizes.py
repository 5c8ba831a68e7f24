"""Runs of a proof are small, and still execute every branch."""

import numpy
import pytest

from pgolf.prove import sizes
from pgolf.prove.sizes import COUNT_OFFSET, HEADER_BYTES, PROOF_SETTINGS, head, proof_recipe, trimmed
from pgolf.recipe import Recipe
from pgolf.run.data import DataPaths
from pgolf.runtime.shards import load_shard


def shard(path, tokens):
    header = numpy.zeros(256, "<i4")
    header[:3] = 20240520, 1, len(tokens)
    path.write_bytes(header.tobytes() + numpy.asarray(tokens, "<u2").tobytes())


@pytest.mark.parametrize("count", [10, 3500, 5000])
def test_the_head_of_a_shard_is_a_shard(tmp_path, count):
    path = tmp_path / "fineweb_val_000000.bin"
    shard(path, [number % 200 for number in range(count)])
    cut = tmp_path / "cut.bin"
    cut.write_bytes(head(path))
    tokens = load_shard(cut, 256)
    wanted = min(count, sizes.VALIDATION_TOKENS)
    assert len(tokens) == wanted and [int(token) for token in tokens[:5]] == [0, 1, 2, 3, 4]
    data = cut.read_bytes()
    assert len(data) == HEADER_BYTES + 2 * wanted and data[:COUNT_OFFSET] == path.read_bytes()[:COUNT_OFFSET]


def test_data_are_the_same_but_for_a_shorter_validation(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("fineweb_train_000000.bin", "fineweb_val_000000.bin", "fineweb_val_000001.bin"):
        shard(data / name, range(4000))
    found = trimmed(DataPaths(data, tmp_path / "tokenizer.model"), tmp_path / "small")
    names = sorted(path.name for path in found.data_path.iterdir())
    assert (
        names == ["fineweb_train_000000.bin", "fineweb_val_000000.bin"]
        and found.tokenizer_path == tmp_path / "tokenizer.model"
    )
    assert (found.data_path / names[0]).resolve() == (data / names[0]).resolve()
    assert (found.data_path / names[1]).stat().st_size == HEADER_BYTES + 2 * sizes.VALIDATION_TOKENS


def test_only_settings_that_a_recipe_has_get_smaller():
    recipe = Recipe("a", settings={"train_seq_len": 1024, "other": 3})
    found = proof_recipe(recipe)
    assert found.settings == {"train_seq_len": PROOF_SETTINGS["train_seq_len"], "other": 3}
    assert recipe.settings["train_seq_len"] == 1024


def test_what_the_command_line_sets_stays():
    from dataclasses import replace

    recipe = replace(Recipe("a", settings={"train_seq_len": 1024}), fixed=frozenset({"train_seq_len"}))
    assert proof_recipe(recipe).settings == {"train_seq_len": 1024}
