"""Byte tables and counts: against the public baseline's, and against the UTF-8 length of real text."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from pgolf.runtime.byte_count import byte_tables
from pgolf.runtime.ledger import Ledger
from pgolf_plugins.data.sentencepiece_bytes import SentencePieceBytes

VECTORS = Path(__file__).parents[1] / "vectors" / "pipeline"
GOLDEN = json.loads((VECTORS / "K1_sp1024.json").read_text(encoding="utf-8"))
SP1024_SHA256 = "4f5e8adb109c66b4886963bc75a7befd73bda36d27fd7102df8e9e66503b0e2a"
REFERENCE_MODEL = Path(__file__).parents[3] / "shared" / "data" / "tokenizers" / "fineweb_1024_bpe.model"


class Pieces:
    """A tokenizer reduced to its list of pieces: four control and unknown ones, 256 bytes, the rest text."""

    def __init__(self, pieces):
        self.pieces = pieces

    def __len__(self):
        return len(self.pieces)

    def is_control(self, token):
        return token in (0, 1, 2)

    def is_unknown(self, token):
        return token == 3

    def is_unused(self, token):
        return False

    def is_byte(self, token):
        return 4 <= token < 260

    def id_to_piece(self, token):
        return self.pieces[token]


def assert_golden_tables(size, lead, boundary):
    golden = np.load(VECTORS / "K1_luts_sp1024.npz")
    assert np.array_equal(size.numpy(), golden["base_bytes"])
    assert np.array_equal(lead.numpy(), golden["leading_space"])
    assert np.array_equal(boundary.numpy(), golden["boundary"])


def test_tables_equal_the_baselines():
    assert_golden_tables(*byte_tables(Pieces(GOLDEN["pieces"]), 1024))


@pytest.mark.skipif(not REFERENCE_MODEL.exists(), reason="the contest's model file is not at hand")
def test_tables_of_the_contests_model_file():
    assert hashlib.sha256(REFERENCE_MODEL.read_bytes()).hexdigest() == SP1024_SHA256
    assert_golden_tables(*byte_tables(SentencePieceProcessor(model_file=str(REFERENCE_MODEL)), 1024))


def test_ids_past_the_model_are_boundaries_without_bytes():
    size, lead, boundary = byte_tables(Pieces(GOLDEN["pieces"]), 1061)
    assert size[1024:].sum() == 0
    assert not lead[1024:].any()
    assert boundary[1024:].all()


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: ascii(case["text"]))
def test_counts_equal_the_baselines(case):
    counter = SentencePieceBytes()
    counter.size, counter.lead, counter.boundary = byte_tables(Pieces(GOLDEN["pieces"]), 1024)
    counter.ledger = Ledger()
    ids = torch.tensor([case["ids"]])
    counted = counter.count(ids[:, :-1], ids[:, 1:], torch.arange(1, ids.shape[1])[None])
    assert counted.dtype == torch.int64
    assert counted[0].tolist() == case["bytes"]


def test_a_documents_bytes_are_its_utf8_length(sample):
    counter = SentencePieceBytes()
    counter.open(str(sample.tokenizer_path), "", 1024, torch.device("cpu"), Ledger())
    tokenizer = SentencePieceProcessor(model_file=str(sample.tokenizer_path))
    text = "Naïve readers pay 3.50 € for “café” 日本語 🙂."
    ids = torch.tensor([[1, *tokenizer.encode(text), 1, *tokenizer.encode(text)]])
    counted = counter.count(ids[:, :-1], ids[:, 1:], torch.arange(1, ids.shape[1])[None])
    assert counted.sum() == 2 * len(text.encode())
    assert counter.ledger.receipt("sentencepiece_bytes") == f"{counted.numel()} targets"


def test_a_vocabulary_that_is_too_large_is_refused(sample):
    with pytest.raises(ValueError, match="has 1024 pieces, wanted at most vocab_size=1023"):
        SentencePieceBytes().open(str(sample.tokenizer_path), "", 1023, torch.device("cpu"), Ledger())


def test_a_tokenizer_without_a_lone_word_mark_is_refused(tmp_path):
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(["abcabcabc"] * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=8,
        add_dummy_prefix=False,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (tmp_path / "no_space.model").write_bytes(model.getvalue())
    with pytest.raises(ValueError, match="U\\+2581 is not a piece of its own"):
        SentencePieceBytes().open(str(tmp_path / "no_space.model"), "", 100, torch.device("cpu"), Ledger())
