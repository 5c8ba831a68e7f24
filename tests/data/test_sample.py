"""The embedded sample: contents, determinism, repair."""

import shutil

import numpy as np
import pytest
from models import registry
from sentencepiece import SentencePieceProcessor

from pgolf.data import sample as module
from pgolf.data.manifest import damaged_files
from pgolf.data.sample import ensure_sample, ordered_documents
from pgolf.data.text import open_tokenizer
from pgolf.data.transform import Transform
from pgolf.errors import PgolfError
from pgolf.runtime.shards import load_shard
from pgolf.transforms import find_transform


def documents(path):
    ids = load_shard(path, 1024)
    starts = np.flatnonzero(ids == 1)
    assert starts[0] == 0
    return [ids[start:stop] for start, stop in zip(starts, [*starts[1:], len(ids)], strict=True)]


def test_shards_hold_what_the_manifest_says(sample):
    tokenizer, tables = open_tokenizer(str(sample.tokenizer_path))
    texts = {}
    for split in ("train", "val"):
        parts = documents(sample.data_path / f"fineweb_{split}_000000.bin")
        counts = sample.manifest[split]
        assert counts["documents"] == len(parts)
        assert counts["tokens"] == sum(map(len, parts))
        assert counts["bytes"] == sum(map(tables.count, parts))
        assert not any((part == 2).any() for part in parts)
        texts[split] = [tokenizer.decode(part.tolist()) for part in parts]
        assert sum(len(text.encode()) for text in texts[split]) == counts["bytes"]
    assert not set(texts["train"]) & set(texts["val"])
    assert 0.05 < sample.manifest["val"]["bytes"] / sample.manifest["train"]["bytes"] < 0.12
    assert any("statement" in text for text in texts["train"])


def test_the_tokenizer_has_the_contests_settings(sample):
    tokenizer = SentencePieceProcessor(model_file=str(sample.tokenizer_path))
    assert len(tokenizer) == sample.vocab_size == 1024
    assert (tokenizer.pad_id(), tokenizer.bos_id(), tokenizer.eos_id(), tokenizer.unk_id()) == (0, 1, 2, 3)
    assert sum(tokenizer.is_byte(token) for token in range(1024)) == 256
    assert tokenizer.encode("a b 12", out_type=str)[0] == "a"
    assert {"1", "2"} <= set(tokenizer.encode("12", out_type=str))


@pytest.mark.ci
def test_an_intact_sample_is_left_alone_and_a_damaged_one_made_anew_byte_for_byte(sample, tmp_path):
    notes = []
    directory = tmp_path / "data"
    shutil.copytree(sample.data_path.parents[1], directory)
    assert not ensure_sample(directory, note=notes.append).created
    assert notes == []
    data_path = directory / "datasets" / sample.data_path.name
    shard = data_path / "fineweb_val_000000.bin"
    shard.write_bytes(shard.read_bytes()[:-2] + b"\0\0")
    again = ensure_sample(directory, note=notes.append)
    assert again.created
    assert notes[0].startswith("making the sample anew: fineweb_val_000000.bin: SHA-256 ")
    assert again.manifest == sample.manifest
    assert damaged_files(data_path, sample.manifest) == []


def test_order_depends_on_the_text_alone(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    for index in range(40):
        text = f'"""Document {index}. {"It explains one thing after another. " * 100}"""\n'
        (tmp_path / "one" / f"a{index:02d}.py").write_text(text)
        (tmp_path / "two" / f"a{39 - index:02d}.py").write_text(text)
    first = ordered_documents(tmp_path / "one")
    assert first == ordered_documents(tmp_path / "two")
    assert first != sorted(first)


def test_a_python_without_documentation_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "standard_library", lambda: tmp_path)
    with pytest.raises(PgolfError, match="only 0 documents") as caught:
        ensure_sample(tmp_path / "data")
    assert caught.value.code == "PG001"
    assert not (tmp_path / "data").exists()


def test_a_vocabulary_that_cannot_be_trained_is_an_error():
    with pytest.raises(PgolfError, match="no tokenizer of 100 pieces can be trained") as caught:
        module.train_tokenizer(["Some text."], 100)
    assert caught.value.code == "PG004"


@pytest.mark.slow
def test_a_sample_of_transformed_text_has_side_files(sample, tmp_path):
    transform = find_transform("caseops", {}, registry())
    found = ensure_sample(tmp_path, 1024, transform=transform)
    assert (found.data_path.name, found.tokenizer_path.name) == (
        "sample_sp1024_caseops",
        "sample_1024_bpe_caseops.model",
    )
    assert found.manifest["val"]["bytes"] == sample.manifest["val"]["bytes"], "the same text"
    sizes = load_shard(found.data_path / "fineweb_val_bytes_000000.bin", 65536)
    ids = load_shard(found.data_path / "fineweb_val_000000.bin", 1024)
    assert len(sizes) == len(ids) and sizes.sum() == found.manifest["val"]["bytes"] and not sizes[ids == 1].any()
    assert damaged_files(found.data_path, found.manifest) == []
    assert not ensure_sample(tmp_path, 1024, transform=transform).created
    notes = []
    other = Transform(transform.text, {**transform.record, "sha256": "other"})
    assert ensure_sample(tmp_path, 1024, notes.append, other).created
    assert notes == ["making the sample anew: another version of the transform made it"]
