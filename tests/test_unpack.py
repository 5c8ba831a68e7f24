"""The forms of packed files, and what is none of them; `tests/bundle/test_pack.py` has every writer's files read."""

import pytest

from pgolf.bundle.pack.pack import candidates, mixed
from pgolf.errors import PgolfError
from pgolf.unpack import RUN, run_alone, unpack

PROGRAM = "import sys\n" + "".join(f"def f{number}(x):return x*{number}\n" for number in range(40))


def test_every_form_is_read_back():
    files = [
        *candidates(PROGRAM, True),
        *candidates(PROGRAM, True, alone=True),
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


def test_names_are_taken_away_before_the_program_starts():
    assert b'map(g.pop,"c s".split())' in run_alone(RUN, ["c", "s"]) and b"g.pop" not in RUN
