"""The data: what is damaged, unlisted, beyond the vocabulary or of another tokenizer is found."""

import json
import shutil

import numpy
import pytest

from pgolf.data.writer import write_shard
from pgolf.preflight.data_checks import check_all, judge_tokenizer
from pgolf.run.data import DataPaths

SETTINGS = {"vocab_size": 1024}


@pytest.fixture
def paths(sample, tmp_path):
    """A copy that may be damaged."""
    root = sample.data_path.parent.parent
    shutil.copytree(root, tmp_path / "data")
    return DataPaths(
        tmp_path / "data" / sample.data_path.relative_to(root),
        tmp_path / "data" / sample.tokenizer_path.relative_to(root),
    )


def look(paths, settings=SETTINGS):
    return {one.check: one for one in check_all(paths, settings, False, str)}


def test_a_good_data_set(paths):
    found = look(paths)
    assert {one.state for one in found.values()} == {"ok"} and [*found] == ["shards", "hashes", "ids", "tokenizer"]
    tried = found["tokenizer"].text.split()
    assert tried[2:5:2] == [tried[2]] * 2 and int(tried[2]) > 20


def test_a_changed_byte(paths):
    (shard,) = paths.data_path.glob("fineweb_val_*.bin")
    data = bytearray(shard.read_bytes())
    data[5000] ^= 1
    shard.write_bytes(data)
    found = look(paths)["hashes"]
    assert found.state == "problem" and shard.name in found.text and "another SHA-256" in found.text


def test_a_file_that_is_cut_short_or_of_nobody(paths):
    (shard,) = paths.data_path.glob("fineweb_val_*.bin")
    write_shard(paths.data_path / "fineweb_train_999999.bin", numpy.arange(9))
    found = [one for one in check_all(paths, SETTINGS, False, str) if one.check == "hashes"]
    assert [one.text for one in found] == ["fineweb_train_999999.bin is not in the manifest"]
    shard.write_bytes(shard.read_bytes()[:-2])
    (found,) = check_all(paths, SETTINGS, False, str)
    assert found.check == "shards" and found.state == "problem" and shard.name in found.text


def test_without_a_manifest_nothing_is_said_of_content(paths):
    (paths.data_path / "manifest.json").unlink()
    assert look(paths)["hashes"].state == "unknown"
    (paths.data_path / "manifest.json").write_text("{")
    assert any(one.state == "problem" for one in look(paths).values())


def test_ids_beyond_the_vocabulary_and_another_size(paths):
    found = look(paths, {"vocab_size": 300})
    assert "wanted an id below 300" in found["ids"].text and "1024 pieces, the build 300" in found["tokenizer"].text


def test_another_tokenizer_of_the_same_size(paths, tmp_path):
    import sentencepiece

    text = tmp_path / "text.txt"
    text.write_text("\n".join(f"zq xv{n} qqj {n * 7919 % 1000003} wyx kkz" for n in range(3000)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(tmp_path / "other"), vocab_size=512, model_type="bpe", byte_fallback=True,
        hard_vocab_limit=False, minloglevel=2, pad_id=0, bos_id=1, eos_id=2, unk_id=3,
    )  # fmt: skip
    found = look(DataPaths(paths.data_path, tmp_path / "other.model"))["tokenizer"]
    assert found.state == "problem", found
    (tmp_path / "none.model").write_bytes(b"no model")
    assert "is no SentencePiece model" in look(DataPaths(paths.data_path, tmp_path / "none.model"))["tokenizer"].text


def test_in_between_is_not_known():
    assert [judge_tokenizer("t", equal, 60).state for equal in (60, 45, 10)] == ["ok", "unknown", "problem"]
    assert judge_tokenizer("t", 0, 0).state == "unknown"
    json.dumps(judge_tokenizer("t", 1, 2).as_record())
