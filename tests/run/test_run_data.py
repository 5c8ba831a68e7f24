import json
import shutil

import numpy as np
import pytest
from folders import make_data

from pgolf.data.writer import write_shard
from pgolf.errors import PgolfError
from pgolf.run.data import check_data, find_data
from pgolf.runtime.shards import shard_length

SETTINGS = {"data_path": "./data/datasets/toy_sp16", "tokenizer_path": "./x/toy_16_bpe.model", "vocab_size": 16}


def test_a_folder_of_shards_and_a_data_folder_are_the_same(tmp_path):
    data = make_data(tmp_path / "data")
    found = find_data(data, None, SETTINGS, False)
    assert found == find_data(data / "datasets/toy_sp16", None, SETTINGS, False)
    assert found.tokenizer_path.name == "toy_16_bpe.model"
    check_data(found)


def test_the_recipes_own_path_is_the_default(tmp_path, monkeypatch):
    make_data(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert find_data(None, None, SETTINGS, False).data_path == tmp_path / "data/datasets/toy_sp16"
    with pytest.raises(PgolfError, match="does not exist") as caught:
        find_data(None, None, {**SETTINGS, "data_path": "./none"}, False)
    assert "pgolf data" in caught.value.hint


def test_of_several_data_sets_the_recipes_is_taken(tmp_path):
    data = make_data(tmp_path / "data")
    (data / "datasets/other_sp32").mkdir()
    (data / "datasets/other_sp32/fineweb_val_000000.bin").write_bytes(b"")
    assert find_data(data, None, SETTINGS, False).data_path.name == "toy_sp16"
    assert find_data(data, None, {**SETTINGS, "data_path": "x", "vocab_size": 32}, False).data_path.name == "other_sp32"
    with pytest.raises(PgolfError, match="several data sets: other_sp32, toy_sp16"):
        find_data(data, None, {"vocab_size": 1, "data_path": "x"}, False)


def test_an_empty_folder_is_no_data(tmp_path):
    with pytest.raises(PgolfError, match="no fineweb_val"):
        find_data(tmp_path, None, SETTINGS, False)


def test_of_several_tokenizers_the_name_or_the_size_decides(tmp_path):
    data = make_data(tmp_path / "data")
    (data / "tokenizers/big_1600_bpe.model").write_bytes(b"")
    assert find_data(data, None, SETTINGS, False).tokenizer_path.name == "toy_16_bpe.model"
    assert find_data(data, None, {"vocab_size": 1600}, False).tokenizer_path.name == "big_1600_bpe.model"
    with pytest.raises(PgolfError, match="which tokenizer"):
        find_data(data, None, {"vocab_size": 5}, False)
    assert find_data(data, data / "tokenizers/big_1600_bpe.model", {}, False).tokenizer_path.name.startswith("big")


def test_damage_is_found_before_a_run(tmp_path):
    data = make_data(tmp_path / "data")
    found = find_data(data, None, SETTINGS, False)
    shard = found.data_path / "fineweb_train_000000.bin"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(PgolfError) as caught:
        check_data(found)
    assert caught.value.code == "PG502"
    check_data(found, training=False)
    shard.unlink()
    with pytest.raises(PgolfError, match="no fineweb_train"):
        check_data(found)
    found.tokenizer_path.unlink()
    with pytest.raises(PgolfError, match="no tokenizer"):
        check_data(found)


def side_files(folder, count):
    write_shard(folder / "fineweb_val_bytes_000000.bin", np.ones(count))


def test_side_files_decide_between_data_sets(tmp_path):
    data = make_data(tmp_path / "data")
    shutil.copytree(data / "datasets/toy_sp16", data / "datasets/toy_sp16_changed")
    changed = data / "datasets/toy_sp16_changed"
    side_files(changed, 1)
    settings = {**SETTINGS, "data_path": "x"}
    assert find_data(data, None, settings, False).data_path.name == "toy_sp16"
    assert find_data(data, None, settings, False, side_files=True).data_path.name == "toy_sp16_changed"
    (changed / "fineweb_val_bytes_000000.bin").unlink()
    with pytest.raises(PgolfError, match="several data sets"):
        find_data(data, None, settings, False, side_files=True)


def test_side_files_are_checked_where_the_build_reads_them(tmp_path):
    found = find_data(make_data(tmp_path / "data"), None, SETTINGS, False)
    with pytest.raises(PgolfError, match=r"no fineweb_val_bytes_\*.bin") as caught:
        check_data(found, side_files=True)
    assert caught.value.code == "PG001" and "--transform" in caught.value.hint
    tokens = shard_length(found.data_path / "fineweb_val_000000.bin")
    side_files(found.data_path, tokens + 1)
    with pytest.raises(PgolfError, match=f"not as long as .*, {tokens} tokens") as caught:
        check_data(found, side_files=True)
    assert caught.value.code == "PG502"
    side_files(found.data_path, tokens)
    check_data(found, side_files=True)
    check_data(found)
    path = found.data_path / "fineweb_val_bytes_000000.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PgolfError) as caught:
        check_data(found, side_files=True)
    assert caught.value.code == "PG502" and caught.value.where == str(path)
    (found.data_path / "fineweb_val_000000.bin").unlink()
    with pytest.raises(PgolfError, match="no fineweb_val_"):
        check_data(found)


@pytest.mark.parametrize(
    "manifest",
    [
        {"files": {"../../tokenizers/other_16_bpe.model": {}, "a.bin": {}}},
        {"tokenizer": {"name": "other_16_bpe.model"}},
    ],
)
def test_the_tokenizer_that_the_manifest_names_wins(manifest, tmp_path):
    data = make_data(tmp_path / "data")
    (data / "tokenizers/other_16_bpe.model").write_bytes(b"")
    assert find_data(data, None, SETTINGS, False).tokenizer_path.name == "toy_16_bpe.model"
    (data / "datasets/toy_sp16/manifest.json").write_text(json.dumps({"format": 1, **manifest}))
    assert find_data(data, None, SETTINGS, False).tokenizer_path.name == "other_16_bpe.model"
