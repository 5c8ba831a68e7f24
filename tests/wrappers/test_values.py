"""The values of expressions that are made of literals, and of no others."""

import pytest
from packed_texts import INNER, XZ, ZLIB, b85, read_back


@pytest.mark.parametrize(
    "literal",
    [
        '"' + '"\n    "'.join(XZ[at : at + 20] for at in range(0, len(XZ), 20)) + '"',
        '"".join(["' + '", "'.join(XZ[at : at + 20] for at in range(0, len(XZ), 20)) + '"])',
        f'"{XZ[:30]}" + "{XZ[30:]}"',
        f'"""\n{XZ}\n""".replace("\\n", "")',
        f'"  {XZ}"[2:]',
        f'b"{XZ}"',
    ],
    ids=["adjacent", "joined", "added", "replaced", "sliced", "bytes"],
)
def test_every_way_to_write_the_literal(literal):
    found = read_back(f"import lzma,base64\nDATA=({literal})\nexec(lzma.decompress(base64.b85decode(DATA)))\n")
    assert found.text == INNER


def test_decoder_objects_and_imports_in_calls():
    source = f'exec(__import__("zlib").decompressobj().decompress(__import__("base64").b85decode("{b85(ZLIB)}")))'
    assert read_back(source).text == INNER


def test_literals_that_double_are_refused():
    lines = ["a0 = 'x' * 1", "a0 = 'xxxxxxxxxxxxxxxx'"][1:] + [f"a{at + 1} = a{at} + a{at}" for at in range(40)]
    assert read_back("\n".join([*lines, "exec(a40)\n"])).opaque
    many = ", ".join(["'" + "x" * 1000 + "'"] * 50)
    assert read_back(f"a = ''.join([{many}])\nb = a.replace('x', a)\nc = b.replace('x', a)\nexec(c)").opaque


def test_names_that_are_bound_one_after_another():
    source = f"import zlib,base64\nd={b85(ZLIB)!r}\nd=base64.b85decode(d)\nd=zlib.decompress(d)\nexec(d)\n"
    assert read_back(source).text == INNER


@pytest.mark.parametrize(
    "source",
    [
        f"import zlib\nd={ZLIB!r}\ndef f():\n    exec(zlib.decompress(d))\nd=b'other'\nf()\n",
        f"import zlib\nd={ZLIB!r}\nif x:\n    d=b'other'\nexec(zlib.decompress(d))\n",
        f"import zlib\nd={ZLIB!r}\nd+=b'other'\nexec(zlib.decompress(d))\n",
    ],
)
def test_names_whose_value_depends_on_more_are_not_followed(source):
    assert "not known" in read_back(source).opaque
