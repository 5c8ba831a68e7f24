"""The context-mixing pack: what it writes decodes to the same text, in the repository as in the file."""

import ast
import hashlib
import random
import string
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgolf import mixing
from pgolf.bundle.pack import pack
from pgolf.errors import PgolfError
from pgolf.unpack import MIXED, MIXED_FORM
from pgolf.wrappers.layers import unpack as read_layers

PROGRAM = """import inspect,sys,traceback
def fails(x):return 1/x
class Thing:
 def f(self):return 'TEXT'
if __name__=='__main__':
 print(inspect.getsource(fails).strip(),inspect.getsource(Thing).split()[1],sep='|')
 print(__name__,__file__,sys.argv[1:],Thing().f())
 try:fails(0)
 except ZeroDivisionError:print('return 1/x'in traceback.format_exc())
"""


def code_of(text):
    return pack.pack(text, "mix").code


def decoder_in_files():
    namespace = {}
    exec(mixing.DECODER, namespace)
    return namespace["h"]


TEXTS = st.one_of(
    st.text(string.ascii_letters + string.punctuation + " \n\0\x7f", min_size=1, max_size=120),
    st.text(min_size=1, max_size=40).filter(lambda text: not any(0xD800 <= ord(char) < 0xE000 for char in text)),
)


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_what_is_encoded_decodes(text):
    payload = mixing.encode(text)
    assert not set(payload) & {0, 13, 92}
    coded, bits = mixing.shape(text)
    digits = [mixing.ALPHABET.index(value) for value in payload]
    assert decoder_in_files()(iter(digits), len(coded), 1 << bits) == coded
    assert pack.unpack(code_of(text)) == text


def test_random_text_costs_hardly_more_than_its_entropy():
    draw = random.Random(1)
    text = "".join(draw.choice("abcdefghijklmnop") for _ in range(3000))
    assert 1500 < len(mixing.encode(text)) < 1750


def test_the_payload_is_the_same_on_every_machine():
    assert hashlib.sha256(mixing.encode(PROGRAM * 3)).hexdigest() == (
        "82d5a2ee900fddc8075678d5618c5883effbc329c21a18f82e9a3cd23bc98e52"
    )


def test_programs_pack_smaller_than_by_lzma():
    text = ast.unparse(ast.parse(Path(pack.__file__).read_text(encoding="utf-8")))
    assert len(mixing.encode(text)) < 0.9 * pack.compressed(text)


@pytest.mark.parametrize("flags", [(), ("-I",), ("-W", "error")])
@pytest.mark.parametrize("word", ["plain", "wide: é ▁ 漢"])
def test_the_file_runs_with_its_source_its_name_and_its_arguments(tmp_path, flags, word):
    file = tmp_path / "train_gpt.py"
    file.write_bytes(code_of(PROGRAM.replace("TEXT", word)))
    done = subprocess.run(
        [sys.executable, "-X", "utf8", *flags, str(file), "score"], capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout == f"def fails(x):return 1/x|Thing:\n__main__ {file} ['score'] {word}\nTrue\n"


def test_the_file_compiles_and_is_read_without_being_run(tmp_path):
    code = code_of(PROGRAM)
    file = tmp_path / "train_gpt.py"
    file.write_bytes(code)
    subprocess.run([sys.executable, "-m", "py_compile", str(file)], check=True)
    found = read_layers(code, "train_gpt.py", lambda name: b"")
    assert (found.text, found.kind, found.opaque) == (PROGRAM, "mix", "")


def test_lines_that_end_in_other_ways_stay_as_they_are(tmp_path):
    text = "print(ascii('''a\u2028b\x0c'''))\n"
    file = tmp_path / "train_gpt.py"
    file.write_bytes(code_of(text))
    done = subprocess.run([sys.executable, str(file)], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "'a\\u2028b\\x0c'\n" and pack.unpack(file.read_bytes()) == text


def rewritten(payload=None, inner=None):
    """A mixed file with another payload or another decoder."""
    parts = MIXED_FORM.fullmatch(code_of(PROGRAM)).groups()
    own_payload, own_inner = (ast.literal_eval(part.decode("l1")).encode("l1") for part in parts)
    inner = own_inner if inner is None else mixing.deflate(inner(zlib.decompress(own_inner, -15)))
    payload = own_payload if payload is None else payload(own_payload)
    return MIXED % (pack.latin1(payload), pack.latin1(inner))


def test_the_form_that_is_rewritten_below_is_read():
    assert pack.unpack(rewritten()) == PROGRAM == pack.unpack(rewritten(lambda data: data, lambda data: data))


@pytest.mark.parametrize(
    "code",
    [
        rewritten(lambda data: data[:-9]),
        rewritten(lambda data: b"\r" + data[1:]),
        rewritten(None, lambda data: data.replace(b"\ndef ", b"\nimport os\ndef ")),
        rewritten(None, lambda data: data + b"\nprint(1)"),
        rewritten(None, lambda data: data.replace(b",128)", b",256)")),
        rewritten(None, lambda data: data.replace(b",%d,128)" % len(PROGRAM), b",999999,128)")),
        rewritten(None, lambda data: b"#" * 2**20),
        rewritten(None, lambda data: b""),
    ],
    ids=["cut", "digit", "import", "after", "top", "size", "bomb", "empty"],
)
def test_what_pgolf_did_not_write_is_refused_without_running_it(code):
    with pytest.raises(PgolfError) as caught:
        pack.unpack(code)
    assert caught.value.code == "PG402"
    assert read_layers(code, "train_gpt.py", lambda name: b"").kind != "mix"


@pytest.mark.parametrize("text", ["", "#" * (mixing.LIMIT + 1)])
def test_programs_of_another_length_are_refused(text):
    with pytest.raises(PgolfError) as caught:
        code_of(text)
    assert caught.value.code == "PG004" and "--pack auto" in caught.value.hint
