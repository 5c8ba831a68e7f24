"""Wrappers: what they hold is packed only where nothing is lost, and what cannot be read is refused."""

import base64
import lzma
import zlib

import pytest

from pgolf.bundle.pack.pack import candidates
from pgolf.errors import PgolfError
from pgolf.repack.unwrap import check_plain, unwrap

INNER = 'from pathlib import Path\nprint(len(Path(__file__).read_text(encoding="utf-8")) > 9)\n'
INNER += "".join(f"v{number} = {number * 7919 % 100003 / 7}\n" for number in range(300))
XZ9 = base64.b85encode(lzma.compress(INNER.encode(), preset=9)).decode()
RUN = f'exec(L.decompress(B.b85decode("{XZ9}")))\n'
IMPORTS = "import lzma as L,base64 as B\n"


def attempt(text):
    """What the wrapper holds, if nothing is lost by taking it."""
    kind, content = unwrap(text.encode(), "a.py")
    check_plain(text.encode(), "a.py")
    return kind, content.decode()


def test_plain_wrappers_give_their_program():
    assert attempt(IMPORTS + RUN) == ("lzma+b85", INNER)  # the largest preset needs a dictionary of 64 MiB
    deflated = base64.b64encode(zlib.compress(INNER.encode())).decode()
    assert attempt(f'import zlib,base64\nexec(zlib.decompress(base64.b64decode("{deflated}")))')[1] == INNER
    nested = base64.b85encode(zlib.compress((IMPORTS + RUN).encode())).decode()
    assert attempt(f'import zlib as Z,base64 as B\nexec(Z.decompress(B.b85decode("{nested}")))')[1] == INNER


@pytest.mark.parametrize("alone", [False, True])
def test_files_that_pgolf_packed_give_their_program(alone):
    for packed in {item.name: item for item in candidates(INNER, allow_brotli=True, alone=alone)}.values():
        kind, content = unwrap(packed.code, "a.py")
        check_plain(packed.code, "a.py")
        assert content.decode() == INNER and bool(kind) is (packed.name != "plain")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (IMPORTS + "VERSION = 3\n" + RUN, 2, "VERSION = 3"),
        (IMPORTS + RUN + "print('after')\n", 3, "print"),
        (IMPORTS + RUN + RUN, 3, "Expr"),
        (IMPORTS + RUN.replace(")))", ")),{'x': 1})"), 2, "Expr"),
        (IMPORTS + "def main():\n    " + RUN + "main()\n", 2, "FunctionDef"),
        (IMPORTS + "if True:\n    " + RUN, 2, "If"),
        ("from __future__ import annotations\n" + IMPORTS + RUN, 1, "__future__"),
    ],
)
def test_a_wrapper_that_does_more_is_refused(text, line, what):
    assert unwrap(text.encode(), "a.py")[0]
    with pytest.raises(PgolfError, match=f"would lose what the wrapper does: .*{what}") as caught:
        attempt(text)
    assert caught.value.where == f"line {line}"


def test_a_program_that_lives_on_the_imports_of_its_wrapper_is_refused():
    data = base64.b85encode(zlib.compress((INNER + "print(zlib.crc32(b''))\n").encode())).decode()
    with pytest.raises(PgolfError, match="the program uses its 'zlib'"):
        attempt(f'import zlib,base64\nexec(zlib.decompress(base64.b85decode("{data}")))')


@pytest.mark.parametrize(
    "run",
    [
        f'exec(L.decompress(bytes(x ^ 5 for x in B.b85decode("{XZ9}"))))',
        f'getattr(L, "decomp" + "ress")\nexec(getattr(L, "decompress")(B.b85decode("{XZ9}")))',
        f'exec(B.b85decode("{XZ9}").decode("rot13"))',
        f'import marshal\nexec(marshal.loads(B.b85decode("{XZ9}")))',
        f'import runpy\nopen("t.py", "wb").write(bytes(map(int, B.b85decode("{XZ9}"))))\nrunpy.run_path("t.py")',
        f'run = exec\nrun(bytes(x ^ 5 for x in B.b85decode("{XZ9}")))',
    ],
)
def test_a_wrapper_that_cannot_be_read_is_refused(run):
    with pytest.raises(PgolfError, match="packed in a way that cannot be read"):
        unwrap((IMPORTS + run).encode(), "a.py")


@pytest.mark.parametrize(
    "text",
    [
        "print(1)\n",
        "exec(open('configuration.py').read())\n",
        f"TABLE = '{XZ9}'\nprint(len(TABLE))\n",
        "import subprocess\nsubprocess.run(['ls'])\n" + "x = 1\n" * 50,
    ],
)
def test_ordinary_scripts_are_not_wrappers(text):
    assert unwrap(text.encode(), "a.py") == ("", text.encode())


def test_a_bomb_is_refused_in_bounded_time():
    data = base64.b85encode(lzma.compress(b"#" * 2**25)).decode()
    with pytest.raises(PgolfError, match="cannot be read"):
        unwrap(f'{IMPORTS}exec(L.decompress(B.b85decode("{data}")))'.encode(), "a.py")
