"""Packed scripts are read layer by layer, within bounds, and never run."""

import time
import zlib

import pytest
from packed_texts import FORMS, INNER, ZLIB, b85, read_back

from pgolf.bundle.pack.pack import FAMILIES, candidates, pack
from pgolf.wrappers.decoders import Undecodable
from pgolf.wrappers.layers import DENSE_LIMIT, LAYERS, as_text, dense_bytes, unpack


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_of_packing(kind):
    found = read_back(FORMS[kind])
    assert (found.text, found.kind, found.opaque, found.problem) == (INNER, kind, "", "")


def test_nested_layers_and_their_limit():
    source = INNER
    for _ in range(LAYERS):
        source = f"import zlib\nexec(zlib.decompress({zlib.compress(source.encode())!r}))\n"
    assert read_back(source).text == INNER
    source = f"import zlib\nexec(zlib.decompress({zlib.compress(source.encode())!r}))\n"
    found = read_back(source)
    assert found.text != INNER and "layers" in found.opaque


@pytest.mark.parametrize("choice", FAMILIES)
def test_files_that_pgolf_packs(choice):
    program = "\n".join(f"def f{at}(x):\n    return x + {at}" for at in range(50)) + "\n"
    found = read_back(pack(program, choice, allow_brotli=True).code)
    assert found.text == program and not found.opaque


@pytest.mark.parametrize(
    "path",
    [
        '"inner.py"',
        '__file__.replace("train_gpt.py", "inner.py")',
        'os.path.join(os.path.dirname(os.path.abspath(__file__)), "inner.py")',
        'Path(__file__).resolve().parent / "inner.py"',
        'Path(__file__).with_name("inner.py")',
    ],
)
def test_a_stub_that_runs_a_file_beside_it(path):
    read = {"inner.py": INNER.encode()}.__getitem__
    call = f"({path}).read_text()" if path.startswith("Path") else f"open({path}).read()"
    found = read_back(f"import os\nfrom pathlib import Path\nexec({call})\n", read)
    assert (found.text, found.kind, found.file) == (INNER, "sibling", "inner.py")
    with_block = (
        f"import os\nfrom pathlib import Path\nwith open({path}) as f:\n    exec(compile(f.read(), 'x', 'exec'))\n"
    )
    assert read_back(with_block, read).text == INNER


def test_a_file_that_cannot_be_followed_is_said():
    found = read_back('exec(open("../other/secret.py").read())\n')
    assert "is missing" in found.opaque and found.text.startswith("exec")


def test_a_file_that_runs_itself_ends():
    found = unpack(b"exec(open(__file__).read())", "train_gpt.py", lambda name: b"exec(open(__file__).read())")
    assert "layers" in found.opaque


def test_a_program_that_runs_a_small_text_is_itself():
    source = "exec('x = 1')\n" + INNER * 10
    assert read_back(source).text == source


PIECES = [b'\\"""\n', b'"""', b"'", b'\\"', b'f"{', b"'''\\", b"#", b'rb"\\', b'"\\\n', b"''' \"\"\" "]


@pytest.mark.parametrize("piece", PIECES)
def test_a_text_is_looked_at_once_however_its_strings_end(piece):
    def seconds(count):
        start = time.process_time()
        dense_bytes(piece * count + b"\\")
        return time.process_time() - start

    short, long = (min(seconds(count) for _ in range(3)) for count in (5_000, 80_000))
    assert long < 100 * short or long < 0.05


def test_a_string_that_does_not_end_saves_nothing():
    assert dense_bytes(b"x = '''" + b"y" * 1000) == 1007
    assert dense_bytes(b"x = '''" + b"y" * 1000 + b"'''") == 4


def test_what_a_wrapper_does_besides():
    body = f"exec(zlib.decompress({ZLIB!r}))\n"
    for text, line in (("import zlib\n", ""), ("import zlib\nVERSION = 3\n", "line 2: VERSION = 3")):
        assert read_back(text + body).layers[0].besides == line
    named = f"import zlib\nDATA = {ZLIB!r}\nexec(zlib.decompress(DATA))\n"
    assert read_back(named).layers[0].besides == ""
    assert "line 3" in read_back("import zlib\n" + body + "print(1)\n").layers[0].besides
    scoped = f"import zlib\nexec(zlib.decompress({ZLIB!r}), {{}})\n"
    assert "line 2" in read_back(scoped).layers[0].besides


def test_too_much_source_is_not_parsed():
    with pytest.raises(Undecodable, match="outside literals"):
        as_text(b"a\n" * DENSE_LIMIT)
    assert dense_bytes(b'x = "' + b"y" * 10**6 + b'"\n# ' + b"z" * 10**6) < 100
    assert dense_bytes(b'f"{' + b"1+" * 1000 + b'1}"') > 2000
    assert dense_bytes(b"# '''\n" + b"a\n" * 1000 + b"# '''\n") >= 2000


@pytest.mark.parametrize("data", [b"\xff\xfe", b"# coding: rot13\nx", b"# coding: nothing\n", b"\x00", b"x = (" * 3000])
def test_what_is_not_source_is_a_problem(data):
    assert read_back(data).problem


def test_a_byte_order_mark_and_a_coding_line_are_read():
    assert as_text(b"\xef\xbb\xbfx = 1") == "x = 1"
    assert as_text(b"#coding:l1\nx = '\xe9'") == "#coding:l1\nx = 'é'"


def test_a_wrapper_that_writes_its_program_to_a_file():
    data = b85(zlib.compress(INNER.encode() * 20))
    source = f"import zlib,base64,runpy\nopen('/tmp/x.py','wb').write(zlib.decompress(base64.b85decode({data!r})))\n"
    found = read_back(source + "runpy.run_path('/tmp/x.py')\n")
    assert found.text == INNER * 20 and "indirectly" in found.kind and "/tmp/x.py" in found.opaque


def test_a_payload_of_base_253_is_one_layer():
    program = "".join(f"def f{number}(x):\n return x*{number}\n" for number in range(60))
    file = next(one for one in candidates(program, False) if b"n=n*253" in one.code and one.name == "latin1+lzma")
    found = unpack(file.code, "a.py", lambda name: file.code)
    assert found.text == program and [layer.kind for layer in found.layers] == ["base253"]
