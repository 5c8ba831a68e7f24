"""Packing: every encoding holds the program, runs it, and is read back without running."""

import ast
import lzma
import subprocess
import sys
import zlib

import pytest

from pgolf.bundle.pack import pack as pack_module
from pgolf.bundle.pack.pack import Packed, candidates, check, latin1, mixed, pack
from pgolf.errors import PgolfError
from pgolf.unpack import LIMIT, unpack

PROGRAM = """import inspect,sys,traceback
class Thing:
	def f(self):
		return 'wide: é ▁ 漢'
def fails(x):return 1/x
def show():
	print(inspect.getsource(fails).strip(),inspect.getsource(Thing).split()[1],sep='|')
	try:fails(0)
	except ZeroDivisionError:print('return 1/x'in traceback.format_exc())
	print(__name__,__file__,sys.argv[1:],Thing().f())
if __name__=='__main__':show()
"""
ALL = list(candidates(PROGRAM, allow_brotli=True))


@pytest.mark.parametrize("packed", ALL, ids=[f"{number}:{packed.name}" for number, packed in enumerate(ALL)])
def test_every_candidate_decodes_without_running(packed):
    assert unpack(packed.code) == PROGRAM
    compile(packed.code, "train_gpt.py", "exec")


@pytest.mark.parametrize("name", sorted({packed.name for packed in ALL}))
@pytest.mark.parametrize("flags", [(), ("-I",)])
def test_every_kind_runs_with_source_name_and_arguments(tmp_path, name, flags):
    packed = next(item for item in ALL if item.name == name)
    file = tmp_path / "train_gpt.py"
    file.write_bytes(packed.code)
    result = subprocess.run(
        [sys.executable, *flags, str(file), "score"],
        capture_output=True, encoding="utf-8", env={"PYTHONIOENCODING": "utf-8"} if not flags else None, check=True,
    )  # fmt: skip
    assert result.stdout.splitlines()[:2] == ["def fails(x):return 1/x|Thing:", "True"]
    assert result.stdout.splitlines()[2].startswith(f"__main__ {file} ['score'] wide: ")


@pytest.mark.parametrize("family", ["b85", "latin1", "mix"])
def test_a_program_that_is_alone_sees_no_name_of_the_file(tmp_path, family):
    text = PROGRAM + "print(sorted(name for name in globals() if name[0] != '_'))\n"
    made = [mixed(text, alone=True)] if family == "mix" else candidates(text, allow_brotli=True, alone=True)
    for packed in {item.name: item for item in made if item.name.startswith(family)}.values():
        assert unpack(packed.code) == text
        file = tmp_path / "train_gpt.py"
        file.write_bytes(packed.code)
        command = [sys.executable, "-X", "utf8", str(file)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        assert done.stdout.splitlines()[0] == "def fails(x):return 1/x|Thing:"
        assert done.stdout.splitlines()[-1] == "['Thing', 'fails', 'inspect', 'show', 'sys', 'traceback']"


def test_a_program_with_other_line_ends_keeps_its_lines(tmp_path):
    text = PROGRAM.replace("'wide: é ▁ 漢'", "'\u2028\x85\x0c'.join('ab')")
    packed = pack(text, "latin1")
    assert unpack(packed.code) == text and pack_module.RUN_BY_LINE in packed.code
    file = tmp_path / "train_gpt.py"
    file.write_bytes(packed.code)
    done = subprocess.run([sys.executable, "-X", "utf8", str(file)], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.startswith("def fails(x):return 1/x|Thing:\nTrue\n")


def test_bytes_survive_in_a_latin1_literal():
    for data in (
        bytes(range(256)) * 2,
        b"'''" * 3 + b'"""' * 3,
        b"\0" + b"0\0" + b"8\\'",
        b"'",
        b'"',
        b"",
        b"\r\n\\\r",
    ):
        literal = latin1(data)
        code = b"#coding:l1\nx=" + literal
        assert ast.literal_eval(ast.parse(code).body[0].value).encode("l1") == data


def test_latin1_literals_escape_little():
    data = bytes(range(256)) * 40
    assert len(latin1(data)) < len(data) * 1.02


def test_auto_takes_the_smallest_and_families_are_respected():
    files = sorted(candidates(PROGRAM * 4, allow_brotli=False), key=lambda packed: -len(packed.code))
    sizes = {packed.name: len(packed.code) for packed in files}  # the smallest of a name
    assert len(pack(PROGRAM * 4).code) == min(sizes.values())
    for family in ("plain", "b85", "latin1"):
        chosen = pack(PROGRAM * 4, family)
        assert chosen.name.startswith(family)
        assert len(chosen.code) == min(size for name, size in sizes.items() if name.startswith(family))


def test_an_unknown_choice_is_refused():
    with pytest.raises(PgolfError) as caught:
        pack("1", "zip")
    assert caught.value.code == "PG004"


def test_a_program_that_is_not_packed_is_its_own_content():
    assert unpack(b"print('\xc3\xa9')\n") == "print('é')\n"


def packed_with(call):
    return b"import linecache as c,base64,zlib,lzma,os\ns=" + call + b".decode()\n" + pack_module.RUN


@pytest.mark.parametrize(
    "code",
    [
        b"def f(:",
        b"\0",
        packed_with(b"os.system('touch x')"),
        packed_with(b"zlib.decompress(open('x').read())"),
        packed_with(b"zlib.decompress(base64.b85decode('!!!!'))"),
        packed_with(b"zlib.decompress(b'')"),
        packed_with(b"zlib.decompress()"),
        packed_with(b"lzma.decompress(base64.b85decode('00'),3,None,[{'lc':99}])"),
        packed_with(b"lzma.decompress(base64.b85decode('00'))"),
        packed_with(b"lzma.decompress('a'.encode('l1'),3,None,[*f()])"),
    ],
)
def test_damaged_or_foreign_payloads_are_refused_and_nothing_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PgolfError) as caught:
        unpack(code)
    assert caught.value.code == "PG402" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["zlib", "lzma", "brotli"])
def test_decoding_is_bounded(name):
    big = next(packed for packed in candidates("#" * (LIMIT + 1), True) if packed.name == f"b85+{name}")
    with pytest.raises(PgolfError, match="larger than"):
        unpack(big.code)


def test_an_encoder_that_damages_the_program_is_caught(monkeypatch):
    monkeypatch.setattr(zlib, "compress", lambda data, level: zlib.compressobj(level).compress(b"") or b"broken")
    monkeypatch.setattr(lzma, "compress", lambda data, *args, **words: b"broken")
    with pytest.raises(PgolfError) as caught:
        pack(PROGRAM, "latin1")
    assert caught.value.code == "PG402"
    with pytest.raises(PgolfError):
        check(Packed("plain", b"other"), PROGRAM)
