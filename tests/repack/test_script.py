"""Texts and encodings: what Python decodes from the written file is what was packed."""

import ast

import pytest
from repacked import run_both

from pgolf.errors import PgolfError
from pgolf.repack.repack import shrink
from pgolf.repack.script import decode, encode, parse

COOKIE = "# -*- coding: latin-1 -*-\n"
VERBATIM = "import inspect\ndef f():\n    return 'é ÿ'  # as it is\nprint(inspect.getsource(f), ascii(f()))\n"


@pytest.mark.parametrize("choice", ["plain", "b85", "latin1", "mix"])
@pytest.mark.parametrize("body", [VERBATIM, "print(ascii('é ÿ'))\n"])
def test_a_script_with_a_coding_line_keeps_its_texts(choice, body, tmp_path):
    original, packed, result = run_both(tmp_path, (COOKIE + body).encode("latin-1"), choice)
    assert original == packed and original[0] == 0 and "xe9" in packed[1]
    assert ast.dump(ast.parse(result.packed.code)) == ast.dump(parse(result.text)) or choice != "plain"


def test_other_codings(tmp_path):
    for coding in ("cp1252", "utf-8-sig", "iso8859-15"):
        source = f"# coding: {coding}\n{VERBATIM}".encode(coding)
        original, packed, _ = run_both(tmp_path, source, "plain")
        assert original == packed and original[0] == 0 and "xe9" in packed[1]


def test_encode_is_the_inverse_of_decode():
    for text in (
        "x = 'é'\n",
        COOKIE + "x = 'é'\n",
        "# coding: cp1252\nx = '€'\n",
        "'''\n# coding: latin-1\n'''\nx = 'é'\n",
    ):
        assert decode(encode(text)) == text


def test_unusable_texts():
    for data in (b"# coding: nothing\n", b"x = '\xff'\n", b"# coding: utf-8\nx = '\xe9'\n"):
        with pytest.raises(PgolfError, match="not text"):
            decode(data)
    with pytest.raises(PgolfError, match="does not fit the encoding"):
        encode(COOKIE + "x = '\u20ac'\n")
    with pytest.raises(PgolfError, match="cannot read the script"):
        shrink(b"def f(:\n")
    with pytest.raises(PgolfError, match="cannot read the script"):
        shrink(b"x = " + b"(" * 5000 + b")" * 5000)
