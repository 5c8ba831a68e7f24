"""The forms of packed files, and what is none of them; `tests/bundle/test_pack.py` has every writer's files read."""

import re
import time

import pytest

from pgolf.bundle.pack.pack import candidates, dense, mixed
from pgolf.errors import PgolfError
from pgolf.unpack import DENSEST, RUN, run_alone, unpack

PROGRAM = "import sys\n" + "".join(f"def f{number}(x):return x*{number}\n" for number in range(40))


def test_every_form_is_read_back():
    files = [
        *candidates(PROGRAM, True),
        *candidates(PROGRAM, True, alone=True),
        *candidates(PROGRAM, False),
        mixed(PROGRAM),
        mixed(PROGRAM, alone=True),
    ]
    assert len(files) > 20 and all(unpack(one.code) == PROGRAM for one in files)


def test_a_file_that_is_not_packed_is_its_own_program():
    assert unpack(PROGRAM.encode()) == PROGRAM
    assert unpack(b"s = 1\nprint(s)\n") == "s = 1\nprint(s)\n"


def test_a_damaged_payload_is_one_error():
    code = next(one.code for one in candidates(PROGRAM, False) if one.name == "b85+lzma")
    with pytest.raises(PgolfError, match="PG402"):
        unpack(code.replace(b'decode("', b'decode("0000', 1))


def dense_file():
    return next(one.code for one in candidates(PROGRAM, False) if b"n=n*253" in one.code and b"lzma" in one.code)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"s=lzma.", b"s=zlib."),
        (b"c,lzma\n", b"c,zlib\n"),
        (b"in'''", b"in'''\\x00"),
        (b"in'''", b"in'''~" + b"\xff" * 40),
        (b"in'''", b"in('''"),
        (b'exec(compile(s,f,"exec"))', b'exec(compile(s,f,"exec"));evil()'),
    ],
    ids=["other call", "other import", "no digit", "longer", "no literal", "other run"],
)
def test_a_number_that_is_not_as_it_was_written_is_one_error(old, new):
    code = dense_file().replace(b'in"""', b"in'''").replace(b'""".enc', b"'''.enc")
    assert unpack(code) == PROGRAM and code.count(old) == 1
    with pytest.raises(PgolfError, match="PG402"):
        unpack(code.replace(old, new))


def test_a_number_that_is_longer_than_its_bytes_is_one_error():
    with pytest.raises(PgolfError, match="longer than the file says"):
        unpack(re.sub(rb"to_bytes\(\d+\)", b"to_bytes(9)", dense_file()))


def test_a_long_number_is_refused_before_it_is_read():
    digits = b"~" * (DENSEST + 1)
    code = dense_file()
    start, end = code.index(b"for b in") + 8, code.index(b".encode")
    with pytest.raises(PgolfError, match="PG402"):
        unpack(code[:start] + b'"' + digits + b'"' + code[end:])


def test_a_form_that_is_nearly_repeated_is_read_in_time():
    many = (
        b"#coding:l1\nimport linecache as c,lzma\nn=0\nfor b in"
        + b".encode('l1'):n=n*253+b-1-(b>13)-(b>92)\ns=lzma" * 20000
    )
    begin = time.process_time()
    with pytest.raises(PgolfError, match="PG402"):
        unpack(many)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("data", [b"\0", b"\0\0\1", bytes(range(256)) * 30, b"\xff" * 999])
def test_digits_are_the_number(data):
    digits = dense(data)
    number = 0
    for digit in digits:
        number = number * 253 + digit - 1 - (digit > 13) - (digit > 92)
    assert number.to_bytes(len(data)) == data and not {0, 13, 92} & {*digits}


def test_names_are_taken_away_before_the_program_starts():
    assert b'map(g.pop,"c s".split())' in run_alone(RUN, ["c", "s"]) and b"g.pop" not in RUN
