"""Tokenizers made by hand load in SentencePiece and count bytes as its decoder does."""

import pytest
import sentencepiece

from pgolf.probe.piece_file import BYTE, CONTROL, MARK, NORMAL, make_pieces, model_file


@pytest.mark.parametrize("size", [32, 320, 1024])
def test_a_model_loads_with_its_pieces(tmp_path, size):
    pieces = make_pieces(size)
    path = tmp_path / "it.model"
    path.write_bytes(model_file(pieces))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    assert model.vocab_size() == size
    assert [model.id_to_piece(token) for token in range(size)] == list(pieces.names)
    assert [model.is_byte(token) for token in range(size)] == [kind == BYTE for kind in pieces.kinds]
    assert [model.is_control(token) for token in range(size)] == [kind == CONTROL for kind in pieces.kinds]


def test_bytes_are_those_of_the_decoded_text(tmp_path):
    pieces = make_pieces(320)
    path = tmp_path / "it.model"
    path.write_bytes(model_file(pieces))
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    spaced = next(token for token in pieces.normal if pieces.names[token].startswith(MARK + "e"))
    euro = [pieces.first_byte + byte for byte in "\u20ac".encode()]
    tokens = [spaced, *euro, spaced, pieces.normal[12], *euro]
    assert sum(pieces.byte_count(tokens)) == len(model.decode(tokens).encode())
    assert pieces.byte_count([spaced])[0] == 1 and pieces.byte_count([pieces.normal[12], spaced])[1] == 2


def test_there_are_pieces_with_and_without_a_mark_and_of_several_bytes():
    pieces = make_pieces(32)
    names = [pieces.names[token] for token in pieces.normal]
    assert all(kind in pieces.kinds for kind in (NORMAL, CONTROL)) and len({*names}) == len(names)
    assert any(name.startswith(MARK) for name in names) and any(len(name.encode()) > len(name) for name in names)
