"""From JSON lines to a score: the bytes that bits per byte divide by are the UTF-8 bytes of the documents."""

import re
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from micro import micro, run_program
from transforms import TEXTS, train_marked, write_corpus

from pgolf.bundle.pipeline import build
from pgolf.cli.data import data
from pgolf.runtime.shards import load_shard

LOG_TWO = 0.6931471805599453
FINAL = re.compile(r"final_\S+_exact val_loss:(\S+) val_bpb:(\S+)")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """(data, validation texts), made by the command."""
    root = tmp_path_factory.mktemp("caseops")
    model = train_marked(root, vocab_size=360)
    path = write_corpus(root / "docs.jsonl", TEXTS)
    arguments = [path, "--transform", "caseops", "--tokenizer", model, "-o", root / "shards", "--val-docs", 32]
    result = CliRunner().invoke(data, ["tokenize", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return SimpleNamespace(data_path=root / "shards", tokenizer_path=model), TEXTS[:32]


@pytest.mark.ci
@pytest.mark.parametrize(("names", "ranks"), [(("caseops",), 1), (("caseops", "sliding_eval"), 2)])
def test_a_built_file_divides_by_the_documents_bytes(names, ranks, prepared, tmp_path):
    data_paths, texts = prepared
    made = micro(*names, vocab_size=360, train_seq_len=32)
    (tmp_path / "train_gpt.py").write_bytes(build(made.entry, made.find_source).code)
    run = run_program(tmp_path / "train_gpt.py", tmp_path / "run", data_paths, ranks=ranks)
    assert run.status == 0, run.output[-2000:]
    assert any(re.match(r"receipt caseops: \d+ targets", line) for line in run.lines)
    tokens = load_shard(data_paths.data_path / "fineweb_val_000000.bin", 360)
    scored = (len(tokens) - 1) // 32 * 32
    # The rest, shorter than a sequence, is not scored: its bytes are those of the last tokens.
    left_out = load_shard(data_paths.data_path / "fineweb_val_bytes_000000.bin", 65536)[scored + 1 :].astype(int).sum()
    wanted = len("".join(texts).encode()) - left_out
    loss, bpb = (float(value) for value in FINAL.findall("\n".join(run.lines))[-1])
    assert loss * scored / LOG_TWO / bpb == pytest.approx(wanted, rel=1e-6)
    assert 0 <= left_out < 300
