"""Bytes that a token stands for: tables against counting text, and tokenizers that would count wrongly."""

import itertools

import pytest

from pgolf.runtime import byte_count
from pgolf.runtime.byte_count import WORD_MARK, byte_tables, load_tokenizer


class Pieces:
    """A tokenizer of given pieces: the first two are control and unknown, `bytes` are byte pieces, `unused` is none."""

    def __init__(self, pieces, mark=True):
        self.pieces, self.mark = pieces, mark

    def __len__(self):
        return len(self.pieces)

    def is_control(self, token):
        return token == 0

    def is_unknown(self, token):
        return token == 1

    def is_unused(self, token):
        return self.pieces[token] == "unused"

    def is_byte(self, token):
        return self.pieces[token].startswith("<0x")

    def id_to_piece(self, token):
        return self.pieces[token]

    def piece_to_id(self, piece):
        return self.pieces.index(piece) if piece in self.pieces else 1

    def unk_id(self):
        return 1


PIECES = ["<s>", "<unk>", "<0x41>", f"{WORD_MARK}the", "é", WORD_MARK, "a", "unused", f"{WORD_MARK}漢"]


def test_sizes_are_bytes_without_the_word_mark():
    size, lead, boundary = byte_tables(Pieces(PIECES), 11)
    assert size.tolist() == [0, 0, 1, 3, 2, 0, 1, 0, 3, 0, 0]
    assert lead.tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0]
    assert boundary.tolist() == [1, 1, 0, 0, 0, 0, 0, 1, 0, 1, 1], "also ids that the model lacks"


def test_the_bytes_of_a_document_are_those_of_its_text():
    size, lead, boundary = byte_tables(Pieces(PIECES), 9)
    ids = [0, 3, 4, 8, 6, 5]
    counted = sum(int(size[y] + (lead[y] and not boundary[x])) for x, y in itertools.pairwise(ids))
    text = "".join(PIECES[token] for token in ids[1:]).replace(WORD_MARK, " ").removeprefix(" ")
    assert counted == len(text.encode())


def load(monkeypatch, tokenizer, vocab_size=20):
    monkeypatch.setattr(byte_count, "SentencePieceProcessor", lambda path: tokenizer)
    return load_tokenizer("a.model", vocab_size)


def test_a_tokenizer_that_fits_is_loaded(monkeypatch):
    made = Pieces(PIECES)
    assert load(monkeypatch, made) is made and load(monkeypatch, made, len(PIECES)) is made


def test_tokenizers_that_would_count_wrongly_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="has 9 pieces, wanted at most vocab_size=8"):
        load(monkeypatch, Pieces(PIECES), 8)
    with pytest.raises(ValueError, match="U\\+2581 is not a piece of its own"):
        load(monkeypatch, Pieces([piece for piece in PIECES if piece != WORD_MARK]))


def test_what_is_no_model_is_one_line(tmp_path):
    (tmp_path / "a.model").write_bytes(b"text")
    for name in ("a.model", "missing.model"):
        with pytest.raises(OSError, match="not a SentencePiece model"):
            load_tokenizer(str(tmp_path / name), 8)
