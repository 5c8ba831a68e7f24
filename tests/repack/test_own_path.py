"""Every way to come by the path of the script's file, and what is done with it."""

import ast

import pytest

from pgolf.repack.flow import Kind
from pgolf.repack.index import Index
from pgolf.repack.own_path import sources
from pgolf.repack.repack import gather
from pgolf.repack.script import parse

HEAD = "import os, sys, hashlib, shutil, subprocess\nfrom pathlib import Path\n"


def found(text):
    """(text, kind) of each source."""
    tree = ast.parse(text)
    return {(ast.unparse(node), kind) for node, kind in sources(Index(tree))}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("print(__file__)", {("__file__", Kind.PATH)}),
        ("import sys\nprint(sys.argv)", {("sys.argv", Kind.ARGUMENTS)}),
        ("from sys import argv as words\nprint(words)", {("words", Kind.ARGUMENTS)}),
        ("import __main__\nprint(__main__.__file__)", {("__main__.__file__", Kind.SOME_PATH)}),
        ("import json\nprint(json.__file__)", set()),
        ("open('train_gpt.py')", {("'train_gpt.py'", Kind.SOME_PATH)}),
        ("'a docstring of train_gpt.py'", set()),
        ("print('.py', 'two words.py', 'a.txt')", set()),
        ("__file__ = 1", set()),
    ],
)
def test_sources(text, wanted):
    assert found(text) == wanted


def reason(text):
    return gather(parse(f"{HEAD}{text}\nif __name__ == '__main__': print(1)\n")).reason("latin1")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "os.path.getsize(__file__)",
            "Path(__file__).stat().st_size",
            "os.path.exists(__file__)",
            "print(__file__, sys.argv)",
        ),
        *(
            "Path(__file__).resolve().name",
            "os.path.basename(os.path.abspath(__file__))",
            "f'{__file__}'",
            "__file__ + '.log'",
        ),
        *(
            "open(__file__, 'rb').read()",
            "Path(__file__).read_bytes()",
            "shutil.copy(__file__, 'x')",
            "Path(__file__).parent / 'x'",
        ),
        *(
            "subprocess.run([sys.executable, __file__])",
            "hashlib.file_digest(open(__file__, 'rb'), 'sha256')",
            "sys.argv[1:]",
        ),
        *("len(open(__file__, encoding='utf-8', errors='strict').read())", "len(Path(__file__).open().read())"),
    ],
)
def test_what_reads_no_text_or_can_be_answered(text):
    assert reason(f"x = {text}") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unknown(__file__)", "`unknown` gets its path"),
        ("{__file__: 1}", "goes where it cannot be followed"),
        ("open(__file__, opener=size)", "opened in a way that is not known"),
        ("open(__file__, 'r+')", "it may open its own file or another"),
        ("open('train_gpt.py').read()", "it may open its own file or another"),
        ("Path('train_gpt.py').read_text()", "it may read its own file or another"),
        ("open(__file__, mode)", "opened in a way that is not known"),
        ("Path(__file__).hardlink_to('x')", "`.hardlink_to` of its path"),
        ("os.listdir(os.path.dirname(__file__))", ""),
        ("list(Path(__file__).parent.iterdir())", ""),
        ("open(sys.argv[size])", ""),
    ],
)
def test_what_may_read_its_text_is_refused(text, said):
    refused = reason(f"mode = size = 0\nx = {text}")
    assert refused is not None and said in str(refused) and refused.line == 4
