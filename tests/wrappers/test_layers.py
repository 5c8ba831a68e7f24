"""Packed scripts are read layer by layer, within bounds, and never run."""

import ast
import base64
import bz2
import gzip
import lzma
import sys
import time
import zlib

import brotli
import pytest

from pgolf.bundle.pack.pack import FAMILIES, pack
from pgolf.wrappers.decoders import OUTPUT_LIMIT, Undecodable
from pgolf.wrappers.fstrings import lowered, newer
from pgolf.wrappers.layers import DENSE_LIMIT, LAYERS, as_text, dense_bytes, unpack
from pgolf.wrappers.versions import parse

INNER = "import torch\nprint('inner', torch.__version__)\n"
RAW = [{"id": lzma.FILTER_LZMA2}]


def b85(data):
    return base64.b85encode(data).decode()


def nothing(name):
    raise OSError("is missing")


def read_back(source, read=nothing):
    return unpack(source if isinstance(source, bytes) else source.encode(), "train_gpt.py", read)


XZ = b85(lzma.compress(INNER.encode()))
GZIP = base64.b64encode(gzip.compress(INNER.encode()))
BZIP = base64.a85encode(bz2.compress(INNER.encode()))
RAW2 = b85(lzma.compress(INNER.encode(), lzma.FORMAT_RAW, filters=RAW))
ZLIB = zlib.compress(INNER.encode())
FORMS = {
    "lzma+b85": f'import lzma as L,base64 as B\nexec(L.decompress(B.b85decode("{XZ}")))\n',
    "lzma-raw+b85": "import lzma as L,base64 as B\n"
    f'exec(L.decompress(B.b85decode("{RAW2}"),format=L.FORMAT_RAW,filters=[{{"id":L.FILTER_LZMA2}}]))\n',
    "zlib+b85": f'import zlib,base64\nexec(zlib.decompress(base64.b85decode("{b85(ZLIB)}")).decode())\n',
    "zlib+b64": f"import zlib\nfrom base64 import b64decode as d\nexec(zlib.decompress(d({base64.b64encode(ZLIB)!r})))\n",
    "brotli+b85": f'import brotli,base64\nexec(brotli.decompress(base64.b85decode("{b85(brotli.compress(INNER.encode()))}")))',
    "zlib": f"import zlib\nexec(compile(zlib.decompress({ZLIB!r}), __file__, 'exec'))\n",
    "gzip+b64": f"import gzip, base64\nexec(gzip.decompress(base64.b64decode({GZIP!r})))",
    "bz2+a85": f"import bz2, base64\nexec(bz2.decompress(base64.a85decode({BZIP!r})))",
}


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_of_packing(kind):
    found = read_back(FORMS[kind])
    assert (found.text, found.kind, found.opaque, found.problem) == (INNER, kind, "", "")


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


def test_what_is_executed_and_not_a_literal_is_said():
    assert read_back("import os\ncode = os.environ['CODE']\nexec(code)\n").opaque.startswith("line 3")
    assert read_back("import sys\nexec(sys.stdin.read())\n").opaque.startswith("line 2")


def test_a_program_that_runs_a_small_text_is_itself():
    source = "exec('x = 1')\n" + INNER * 10
    assert read_back(source).text == source


@pytest.mark.parametrize("bomb", ["zlib", "lzma", "brotli", "bz2"])
def test_bombs_are_refused(bomb):
    data = bytes(8 * OUTPUT_LIMIT)
    packed = {"zlib": zlib, "lzma": lzma, "bz2": bz2, "brotli": brotli}[bomb].compress(data)
    found = read_back(f'import {bomb},base64\nexec({bomb}.decompress(base64.b85decode("{b85(packed)}")))\n')
    assert "more than" in found.opaque


@pytest.mark.parametrize("size", [1000, 3 * 2**20])
def test_the_largest_preset_of_xz_is_read(size):
    packed = lzma.compress((INNER + "#" * size).encode(), preset=9 | lzma.PRESET_EXTREME)
    found = read_back(f"import lzma\nexec(lzma.decompress({packed!r}))\n")
    assert found.text.startswith(INNER) and not found.opaque


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


def test_literals_that_double_are_refused():
    lines = ["a0 = 'x' * 1", "a0 = 'xxxxxxxxxxxxxxxx'"][1:] + [f"a{at + 1} = a{at} + a{at}" for at in range(40)]
    assert read_back("\n".join([*lines, "exec(a40)\n"])).opaque
    many = ", ".join(["'" + "x" * 1000 + "'"] * 50)
    assert read_back(f"a = ''.join([{many}])\nb = a.replace('x', a)\nc = b.replace('x', a)\nexec(c)").opaque


def test_filters_that_want_memory_are_refused():
    source = f'import lzma,base64\nexec(lzma.decompress(base64.b85decode("{RAW2}"),3,None,[{{"id":33,"dict_size":2**32-1}}]))'
    assert "memory" in read_back(source).opaque


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


NEWER = [
    """x = f"{d["a"]}"\n""",
    """x = f"{d[\n0]}"\n""",
    """x = f"{'\\n'.join(a)}"\n""",
    """x = f'''{f'{d['a']}'}'''\n""",
    """x = f"{f"{f"{1}"}"}" + f'{1}'\n""",
    """x = f"a{1:>{w["n"]}}"\n""",
    """x = f"\\{w["n"]}"\n""",
    """return_ = lambda: [f"{x["a"]!r:>3}" if"a"else 1]\n""",
]
OLDER = [
    """x = f"{d['a']}" 'plain' "it's"\n""",
    """x = f"{{}}{a!r:>{w}}{b=}" rf'\\d{a}' if"a"else"b"\n""",
    '''x = f"""{d["a"]}\n{c}"""\n# f"{d["a"]}"\n''',
    """x = f"\\N{BULLET} {a}" + "f{'" + b"f'{".decode()\n""",
    """x = f"\\{{" fr'\\}}{a}' f"{a:}}}"\n""",
    """x = f"{a != b} {(lambda y: y)(1)} {a if a>1 else 2:.3f}"\n""",
]


@pytest.mark.parametrize("text", NEWER)
def test_strings_of_3_12_are_told_from_older_ones(text):
    assert newer(text)
    ast.parse(lowered(text))
    found = parse(text)
    assert found.accepts == {"3.11": False, "3.12": True, "3.13": True} and "PEP 701" in found.why
    if sys.version_info < (3, 12):
        with pytest.raises(SyntaxError):
            ast.parse(text)


@pytest.mark.parametrize("text", OLDER)
def test_older_strings_are_left_alone(text):
    assert newer(text) == [] and lowered(text) == text
    assert all(parse(text).accepts.values())


def test_lowering_keeps_strings_that_stand_side_by_side():
    tree = ast.parse(lowered("""x = ('a'\n  f"{d["a"]}"\n  'b')\n"""))
    assert tree.body[0].value.value == "ab" and ast.unparse(tree.body[1]) == "d['a']"


def test_lowering_keeps_the_lines():
    text = 'x = f"{d[\n\n0]}"\nimport torch\n'
    (statement,) = [node for node in parse(text).tree.body if isinstance(node, ast.Import)]
    assert statement.lineno == 4


@pytest.mark.parametrize("text", ["type X = int\n", "def f[T](x: T): pass\n", "class A[T]: pass\n"])
def test_type_parameters_need_3_12(text):
    found = parse(text)
    assert found.accepts["3.11"] is False and found.accepts["3.13"] is not False


def test_text_that_no_version_reads():
    found = parse("def f(:\n")
    assert found.tree is None and not any(found.accepts.values()) and found.error.startswith("line 1")


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


def test_one_exec_that_is_read_does_not_hide_another():
    found = read_back(FORMS["zlib+b85"] + "import sys\nexec(sys.argv[1])\n")
    assert found.text == INNER and "line 4" in found.opaque


@pytest.mark.parametrize(
    "source", ["run = exec\nrun(x)\n", "import marshal\nmarshal.loads(x)\n", "list(map(exec, [x]))\n"]
)
def test_ways_that_cannot_be_followed_are_said(source):
    assert read_back(source).opaque.startswith("line ")


def test_exec_under_an_imported_name_is_followed():
    assert read_back(f"from builtins import exec as e\ne({INNER!r})\n").text == INNER


def test_a_wrapper_that_writes_its_program_to_a_file():
    data = b85(zlib.compress(INNER.encode() * 20))
    source = f"import zlib,base64,runpy\nopen('/tmp/x.py','wb').write(zlib.decompress(base64.b85decode({data!r})))\n"
    found = read_back(source + "runpy.run_path('/tmp/x.py')\n")
    assert found.text == INNER * 20 and "indirectly" in found.kind and "/tmp/x.py" in found.opaque


def test_a_path_that_is_run():
    read = {"inner.py": INNER.encode()}.__getitem__
    assert read_back("import runpy\nrunpy.run_path('inner.py')\n", read).text == INNER
