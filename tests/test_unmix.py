"""The decoder that a packed file carries: it is the one that is documented, and it undoes the encoder."""

import ast
from pathlib import Path

import pytest

from pgolf import mixing, unmix
from pgolf.bundle.minify.alpha_equivalence import check_renaming
from pgolf.bundle.minify.strip import strip
from pgolf.errors import PgolfError


def test_the_decoder_in_files_is_the_documented_function_with_other_names():
    tree = strip(ast.parse(Path(unmix.__file__).read_text(encoding="utf-8")))
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for argument in [tree.body[0], *tree.body[0].args.args]:
        setattr(argument, "returns" if argument is tree.body[0] else "annotation", None)
    check_renaming(tree, ast.parse(mixing.DECODER))
    changed = ast.parse(mixing.DECODER.replace("/180", "/181"))
    with pytest.raises(PgolfError):
        check_renaming(tree, changed)


def digits(text):
    return [mixing.ALPHABET.index(value) for value in mixing.encode(text)]


@pytest.mark.parametrize(
    "text", ["a", "def f(x):\n return [x,(x,{1:2})]\n" * 4, "((((", "))))a", "a1 b2_c3", "\n\n\t "]
)
def test_it_undoes_the_encoder(text):
    assert unmix.decode(iter(digits(text)), len(text), 128) == text


def test_latin_letters_take_another_bit():
    text = "é = 'ü' # ÿ"
    coded, bits = mixing.shape(text)
    assert bits == 8 and coded.encode("latin-1").decode() == text and mixing.shape("a") == ("a", 7)
    assert unmix.decode(iter(digits(text)), len(coded), 256) == coded


def test_a_shorter_size_gives_the_beginning():
    text = "for x in range(10): print(x)"
    assert unmix.decode(iter(digits(text)), 9, 128) == text[:9]


def test_another_digit_is_another_text():
    text = "for x in range(10): print(x)"
    wrong = digits(text)
    wrong[2] = (wrong[2] + 1) % 253
    assert unmix.decode(iter([*wrong, *[0] * 50]), len(text), 128) != text


def test_it_asks_for_no_more_digits_than_the_encoder_wrote():
    text = "for x in range(10): print(x)"
    source = iter(digits(text))
    unmix.decode(source, len(text), 128)
    assert list(source) == []
