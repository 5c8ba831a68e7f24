"""Training a tokenizer on JSON lines: settings, symbols of a transform, what is left out, and bad input."""

import json

import pytest
from click.testing import CliRunner
from sentencepiece import SentencePieceProcessor
from transforms import TEXTS, write_corpus, write_plugin

from pgolf.cli.data import data
from pgolf.errors import PgolfError
from pgolf_plugins.data.caseops import CaseOps


def command(*arguments):
    return CliRunner().invoke(data, ["tokenizer", *map(str, arguments)], catch_exceptions=False)


def test_a_tokenizer_of_plain_text_has_the_contests_settings(tmp_path):
    path, model = write_corpus(tmp_path / "docs.jsonl", TEXTS), tmp_path / "folder" / "plain.model"
    found = json.loads(command(path, "-o", model, "--vocab-size", 400, "--val-docs", 30, "--json").stdout)
    texts = TEXTS[30:]
    assert found["documents"] == 370 and found["bytes"] == sum(len(text.encode()) for text in texts)
    assert found["transform"] is None and found["tokenizer"] == str(model)
    tokenizer = SentencePieceProcessor(model_file=str(model))
    assert found["pieces"] == len(tokenizer) <= 400
    assert (tokenizer.pad_id(), tokenizer.bos_id(), tokenizer.eos_id(), tokenizer.unk_id()) == (0, 1, 2, 3)
    assert sum(tokenizer.is_byte(token) for token in range(len(tokenizer))) == 256
    again = tmp_path / "again.model"
    command(path, "-o", again, "--vocab-size", 400, "--val-docs", 30)
    assert again.read_bytes() == model.read_bytes()


def test_validation_documents_and_those_past_the_limit_are_not_read(tmp_path):
    path = write_corpus(tmp_path / "docs.jsonl", [*TEXTS[:300], "\u2620" * 50])
    arguments = (path, "-o", tmp_path / "a.model", "--vocab-size", 330, "--json")
    assert json.loads(command(*arguments).stdout)["documents"] == 301 - 30
    assert json.loads(command(*arguments, "--documents", 100).stdout)["documents"] == 100


@pytest.mark.ci
def test_a_transform_brings_its_symbols_and_its_text(tmp_path):
    path, model = write_corpus(tmp_path / "docs.jsonl", TEXTS), tmp_path / "marked.model"
    result = command(path, "-o", model, "--vocab-size", 400, "--transform", "caseops", "--json")
    assert json.loads(result.stdout)["transform"]["name"] == "caseops"
    tokenizer = SentencePieceProcessor(model_file=str(model))
    assert [tokenizer.id_to_piece(token) for token in range(4, 8)] == list(CaseOps.symbols)
    pieces = [tokenizer.id_to_piece(token) for token in range(8, len(tokenizer))]
    words = [piece for piece in pieces if not piece.startswith("<0x")]
    assert not any(symbol in piece for symbol in CaseOps.symbols for piece in words)
    assert not any("A" <= letter <= "Z" for piece in words for letter in piece)
    shards = ("tokenize", path, "--transform", "caseops", "--tokenizer", model, "-o", tmp_path / "shards")
    assert CliRunner().invoke(data, list(map(str, shards)), catch_exceptions=False).exit_code == 0


def test_bad_input_is_one_error_and_leaves_no_model(tmp_path):
    model = tmp_path / "x.model"
    path = write_corpus(tmp_path / "docs.jsonl", TEXTS)
    with pytest.raises(PgolfError, match="no tokenizer of 60000 pieces can be trained") as caught:
        command(write_corpus(tmp_path / "none.jsonl", []), "-o", model, "--vocab-size", 60000)
    assert caught.value.code == "PG004"
    with path.open("a") as file:
        file.write("[]\n")
    with pytest.raises(PgolfError, match="a JSON list, wanted an object") as caught:
        command(path, "-o", model, "--vocab-size", 400)
    assert caught.value.where == f"{path}:401"
    plugins = write_plugin(tmp_path / "plugins", "forgetful", ("ord(character) - self.shift", "ord(character)"))
    with pytest.raises(PgolfError, match="forgetful does not give the document back") as caught:
        command(path, "-o", model, "--transform", "forgetful", "--plugin-dir", plugins)
    assert caught.value.code == "PG506" and caught.value.where == f"{path}:41"
    assert not model.exists()
