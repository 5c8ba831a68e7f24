"""The commands: arguments, output, and that their help's examples work."""

import json
import re
import shlex

import pytest
from click.testing import CliRunner

from pgolf.cli.data import data
from pgolf.errors import PgolfError


def run(*arguments):
    result = CliRunner().invoke(data, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_sample_reports_where_it_is(sample):
    code, out, err = run("sample", "-o", sample.data_path.parents[1], "--json")
    found = json.loads(out)
    assert code == 0
    assert found["data_path"] == str(sample.data_path)
    assert found["created"] is False
    assert err == f"intact, nothing to do: {sample.data_path}\n"


def test_tokenize_prints_counts_or_the_manifest(sample, tmp_path):
    (tmp_path / "docs.jsonl").write_text('{"text": "First."}\n{"text": "Second one."}\n')
    arguments = ("tokenize", tmp_path / "docs.jsonl", "--tokenizer", sample.tokenizer_path, "--val-docs", 1)
    code, out, _ = run(*arguments, "-o", tmp_path / "a", "--workers", 1)
    assert code == 0
    assert re.search(r"^train: 1 documents, \d+ tokens, 11 bytes$", out, re.M)
    _, out, _ = run(*arguments, "-o", tmp_path / "b", "--workers", 1, "--json")
    assert json.loads(out)["val"]["bytes"] == 6


def test_errors_reach_the_caller_as_they_are(sample, tmp_path):
    with pytest.raises(PgolfError, match="No such file"):
        run("tokenize", tmp_path / "none", "--tokenizer", sample.tokenizer_path, "-o", tmp_path, "--val-docs", 1)
    with pytest.raises(PgolfError, match="cannot be downloaded"):
        run("fetch", "--variant", "sp1024", "-o", tmp_path / "x", "--endpoint", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sample", "--vocab-size", "100"),
        ("tokenize", "--tokenizer", "x", "-o", "y"),
        ("tokenize", "a", "-o", "y"),
        ("tokenize", "a", "--tokenizer", "x", "-o", "y", "--val-docs", "-1"),
        ("fetch",),
        ("fetch", "--variant", "sp99"),
    ],
)
def test_unusable_arguments_exit_with_2(arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


@pytest.mark.parametrize("command", ["sample", "tokenize", "tokenizer", "fetch"])
def test_every_help_has_an_example_of_itself(command):
    _, out, _ = run(command, "--help")
    assert re.search(rf"^\s+pgolf data {command} ", out, re.M)


def test_the_example_of_tokenize_works(sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, out, _ = run("tokenize", "--help")
    content = re.search(r"printf '(.*)' > docs.jsonl", out)[1]
    (tmp_path / "docs.jsonl").write_text(content.replace("\\n", "\n"))
    words = shlex.split(re.search(r"pgolf data (tokenize docs.*)", out)[1])
    model = words.index("data/tokenizers/sample_1024_bpe.model")
    words[model] = str(sample.tokenizer_path)
    code, _, _ = run(*words, "--workers", 1)
    assert code == 0
    assert (tmp_path / "data/docs/fineweb_train_000000.bin").exists()
