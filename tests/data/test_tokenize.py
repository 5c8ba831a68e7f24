"""A corpus of JSON lines to shards: layout, byte check, and messages with file and line."""

import gzip
import json
import lzma

import numpy as np
import pytest
from sentencepiece import SentencePieceProcessor

from pgolf.data import documents, encoder
from pgolf.data.manifest import damaged_files, read_manifest
from pgolf.data.tokenize import Options, tokenize
from pgolf.errors import PgolfError
from pgolf.runtime.shards import load_shard

TEXTS = [f"Document {index} has a few words about number {index * index}." for index in range(30)]


def corpus(path, texts=TEXTS, opener=open):
    with opener(path, "wt", encoding="utf-8") as file:
        file.write("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


def stream(folder, split):
    return np.concatenate([load_shard(path, 1024) for path in sorted(folder.glob(f"fineweb_{split}_*.bin"))])


def expected(sample, texts):
    tokenizer = SentencePieceProcessor(model_file=str(sample.tokenizer_path))
    return [token for text in texts for token in (1, *tokenizer.encode(text))]


@pytest.mark.parametrize("workers", [1, 2])
def test_first_documents_are_validation_and_the_rest_train(sample, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(documents, "BATCH_BYTES", 300)
    files = [corpus(tmp_path / "a.jsonl", TEXTS[:12]), corpus(tmp_path / "b.jsonl", TEXTS[12:])]
    folder = tmp_path / "out"
    options = Options(val_documents=13, shard_tokens=100, workers=workers)
    manifest = tokenize(files, sample.tokenizer_path, folder, options)
    assert stream(folder, "val").tolist() == expected(sample, TEXTS[:13])
    assert stream(folder, "train").tolist() == expected(sample, TEXTS[13:])
    assert manifest["val"]["documents"] == 13
    assert manifest["train"]["documents"] == 17
    assert manifest["train"]["bytes"] == sum(len(text.encode()) for text in TEXTS[13:])
    assert len(manifest["files"]) == len(list(folder.glob("fineweb_*.bin"))) > 4
    assert damaged_files(folder, read_manifest(folder)) == []


@pytest.mark.parametrize(("suffix", "opener"), [(".jsonl.xz", lzma.open), (".jsonl.gz", gzip.open), (".jsonl", open)])
def test_compressed_input_and_the_default_split(sample, tmp_path, suffix, opener):
    manifest = tokenize(
        [corpus(tmp_path / f"docs{suffix}", opener=opener)], sample.tokenizer_path, tmp_path, Options(workers=1)
    )
    assert (manifest["val"]["documents"], manifest["train"]["documents"]) == (3, 27)


def test_damaged_compressed_input_is_an_error(sample, tmp_path):
    path = corpus(tmp_path / "docs.jsonl.xz", opener=lzma.open)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(PgolfError, match="cannot be read") as caught:
        tokenize([path], sample.tokenizer_path, tmp_path / "out", Options(workers=1))
    assert caught.value.where == str(path)


def test_every_broken_line_of_a_batch_is_reported_with_file_and_line(sample, tmp_path):
    path = tmp_path / "bad.jsonl"
    lines = [b'{"text": "fine"}', b'{"text": }', b"", b"[1]", b'{"body": "x"}', b'{"text": 3}', b'{"text": "\\u0000 "}']
    lines += [b'{"text": "\\ud800"}', b'{"text": "\xff"}', b"[" * 100_000]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(PgolfError) as caught:
        tokenize([path], sample.tokenizer_path, tmp_path / "out", Options(workers=1, val_documents=0))
    found = [(finding.where.removeprefix(f"{path}:"), finding.message) for finding in caught.value.findings]
    assert found == [
        ("2", "not JSON: Expecting value at column 10"),
        ("4", "a JSON list, wanted an object with field 'text'"),
        ("5", "no field 'text'; it has 'body'"),
        ("6", "field 'text' is int, wanted a string"),
        ("7", "field 'text' is empty"),
        ("8", "field 'text' holds a lone surrogate, which UTF-8 cannot express"),
        ("9", "not UTF-8: byte 0xff at column 11"),
        ("10", "not usable JSON: nested too deeply"),
    ]
    assert list((tmp_path / "out").glob("*")) == []


def test_documents_whose_bytes_do_not_add_up(sample, tmp_path, capsys):
    path = corpus(tmp_path / "docs.jsonl", [*TEXTS, "Two  spaces.", "Three\n\n\nlines."])
    with pytest.raises(PgolfError) as caught:
        tokenize([path], sample.tokenizer_path, tmp_path / "out", Options(workers=1))
    assert caught.value.code == "PG503"
    assert caught.value.where == f"{path}:31"
    assert caught.value.message == (
        "2 of 32 documents do not add up; in the first, tokens stand for 11 bytes and the text has 12"
    )
    assert capsys.readouterr().err == f"tokenize: bytes do not add up, first in {path}:31\n"
    assert list((tmp_path / "out").glob("*")) == []
    lossy = tokenize([path], sample.tokenizer_path, tmp_path / "lossy", Options(workers=1, allow_lossy=True))
    assert lossy["lossy"] == {"documents": 2, "bytes_not_counted": 3, "first": f"{path}:31"}
    normal = tokenize([path], sample.tokenizer_path, tmp_path / "normal", Options(workers=1, normalize=True))
    assert normal["lossy"]["documents"] == 0
    assert stream(tmp_path / "lossy", "train").tolist() == stream(tmp_path / "normal", "train").tolist()


def test_nuls_are_stripped(sample, tmp_path):
    path = corpus(tmp_path / "docs.jsonl", ["A\0B", "\0tail"])
    tokenize([path], sample.tokenizer_path, tmp_path / "out", Options(workers=1, val_documents=1))
    assert stream(tmp_path / "out", "val").tolist() == expected(sample, ["AB"])


def test_shards_of_another_run_are_kept_unless_forced_away(sample, tmp_path):
    folder = tmp_path / "out"
    path = corpus(tmp_path / "docs.jsonl")
    tokenize([path], sample.tokenizer_path, folder, Options(workers=1, shard_tokens=50))
    before = read_manifest(folder)
    with pytest.raises(PgolfError, match="holds shards already"):
        tokenize([path], sample.tokenizer_path, folder, Options(workers=1))
    (folder / "fineweb_train_000099.bin.unpublished").touch()
    (folder / "notes").mkdir()
    (folder / "notes/mine.txt").write_text("the user's")
    manifest = tokenize([path], sample.tokenizer_path, folder, Options(workers=1, force=True))
    assert len(before["files"]) > len(manifest["files"]) == 2
    assert sorted(entry.name for entry in folder.iterdir()) == sorted([*manifest["files"], "manifest.json", "notes"])
    assert (folder / "notes/mine.txt").read_text() == "the user's" and read_manifest(folder) == {
        "format": 1,
        **manifest,
    }


@pytest.mark.parametrize(
    ("texts", "options", "code", "message"),
    [
        ([], Options(workers=1), "PG001", "no documents in the input"),
        (TEXTS, Options(workers=1, val_documents=30), "PG004", "all 30 documents are validation"),
        (TEXTS, Options(workers=1, text_field="body"), "PG001", "no field 'body'; it has 'text'"),
    ],
)
def test_input_that_gives_no_data_set(sample, tmp_path, texts, options, code, message):
    with pytest.raises(PgolfError, match=message) as caught:
        tokenize([corpus(tmp_path / "docs.jsonl", texts)], sample.tokenizer_path, tmp_path / "out", options)
    assert caught.value.code == code


def test_missing_input_is_an_error(sample, tmp_path):
    with pytest.raises(PgolfError, match="No such file") as caught:
        tokenize([tmp_path / "none.jsonl"], sample.tokenizer_path, tmp_path / "out", Options(workers=1))
    assert caught.value.where == str(tmp_path / "none.jsonl")


def test_zstandard_is_read_where_a_module_is_there(monkeypatch, tmp_path):
    monkeypatch.setattr(documents.importlib, "import_module", lambda name: gzip)
    with gzip.open(tmp_path / "docs.zst", "wb") as file:
        file.write(b"{}\n")
    assert documents.count_documents([tmp_path / "docs.zst"], 10) == 1


def test_zstandard_without_a_module_says_what_to_do(monkeypatch, tmp_path):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(documents.importlib, "import_module", missing)
    (tmp_path / "docs.zst").touch()
    with pytest.raises(PgolfError, match=r"cannot read \.zst") as caught:
        documents.count_documents([tmp_path / "docs.zst"], 10)
    assert "zstd -d" in caught.value.hint


def test_a_worker_that_dies_is_an_error(sample, tmp_path):
    plan = encoder.Plan(str(tmp_path / "gone.model"), None, "text", False)
    with pytest.raises(PgolfError, match="process died") as caught:
        list(encoder.encode_batches([documents.Batch("a", 1, [b"{}"], 0)], plan, 2))
    assert caught.value.code == "PG005"
