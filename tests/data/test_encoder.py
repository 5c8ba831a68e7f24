"""JSON lines to token ids: the text of a line, or what is wrong with it."""

import json

import pytest

from pgolf.data.encoder import TextEncoder, document_text
from pgolf.data.text import BOS_ID
from pgolf.data.transform import Refusal


@pytest.mark.parametrize("text", ["a", " a ", "é▁漢😀", "a\nb", "\0a", "nul \0"])
def test_the_text_of_a_line(text):
    for ascii_only in (True, False):
        line = json.dumps({"id": 3, "text": text}, ensure_ascii=ascii_only).encode() + b"\r\n"
        assert document_text(line, "text") == text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON"),
        (b'{"text": "a"} x', "not JSON"),
        (b'{"text": "\xff"}', "not UTF-8: byte 0xff"),
        (b"[" * 100_000, "nested too deeply"),
        (b'["text"]', "a JSON list"),
        (b'{"txt": "a"}', "no field 'text'; it has 'txt'"),
        (b"{}", "it has none"),
        (b'{"text": 3}', "is int, wanted a string"),
        (b'{"text": null}', "is NoneType"),
        (b'{"text": ""}', "is empty"),
        (b'{"text": " \\n\\u0000"}', "is empty"),
        (b'{"text": "\\ud800"}', "lone surrogate"),
    ],
)
def test_what_is_wrong_with_a_line(line, said):
    with pytest.raises(Refusal, match=said) as caught:
        document_text(line, "text")
    assert caught.value.code == "PG001"


class Letters:
    """A tokenizer of one id for each letter."""

    def encode(self, text):
        return [ord(letter) for letter in text]


class Counts:
    """Byte tables that say how many ids they were given."""

    def count(self, ids):
        return 7 * len(ids)


def test_every_document_begins_with_its_mark():
    ids, sizes, counted = TextEncoder(Letters(), Counts())("ab")
    assert ids.tolist() == [BOS_ID, 97, 98] and ids.dtype == "uint16" and len(sizes) == 0 and counted == 21
