"""Normalised text loses no bytes on its way through the tokenizer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgolf.data.text import Normalizer, open_tokenizer
from pgolf.errors import PgolfError

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.text(" \n\tab\u2581é0½", max_size=30)


@pytest.fixture(scope="module")
def tools(sample):
    return (*open_tokenizer(str(sample.tokenizer_path)), Normalizer(), Normalizer(str(sample.tokenizer_path)))


@given(text=ANY_TEXT)
def test_bytes_of_normalised_text_add_up(tools, text):
    tokenizer, tables, normalize, _ = tools
    normal = normalize(text)
    ids = np.array([1, *tokenizer.encode(normal)])
    assert tables.count(ids) == len(normal.encode())


@given(text=ANY_TEXT)
def test_normalising_changes_no_token_and_the_models_own_rules_are_the_same(tools, text):
    tokenizer, _, normalize, by_model = tools
    plain = text.replace("\0", "").replace("\u2581", " ")
    assert tokenizer.encode(normalize(text)) == tokenizer.encode(plain)
    assert normalize(text) == by_model(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  a\n\n\tb ", "a b"),
        ("nul\0l", "null"),
        ("\u2581mark\u2581", "mark"),
        ("ﬁne ½", "fine 1⁄2"),
        ("lone \ud800", "lone ?"),
        ("", ""),
    ],
)
def test_what_normalising_does(text, normal):
    assert Normalizer()(text) == normal


def test_a_file_that_is_no_model_is_refused(tmp_path):
    (tmp_path / "x.model").write_text("no model")
    with pytest.raises(PgolfError, match="not a SentencePiece model") as caught:
        open_tokenizer(str(tmp_path / "x.model"))
    assert caught.value.code == "PG001"
    with pytest.raises(PgolfError, match="not a SentencePiece model"):
        open_tokenizer(str(tmp_path / "missing.model"))
