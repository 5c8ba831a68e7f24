"""What is done with the text and the bytes of the script's own file."""

import pytest

from pgolf.repack.repack import gather
from pgolf.repack.script import parse

TEXT = "import ast, io, os, codecs\ncode = open(__file__).read()\n"
BYTES = "import ast, io, os, codecs\ndata = open(__file__, 'rb').read()\n"


def reason(head, text):
    return gather(parse(f"{head}{text}\nif __name__ == '__main__': print(1)\n")).reason("latin1")


@pytest.mark.parametrize(
    "text",
    [
        *("len(code)", "len(code.encode('utf-8'))", "ast.parse(code)", "print(code)", "isinstance(code, str)"),
        *("code.count('a')", "code.startswith('import')", "len(code.splitlines())", "len(code.split('\\n')[0])"),
        *("print('=' * 9 + code)", "print(f'{code}!')", "code == 'x'", "code.isascii()"),
        *("open('log', 'a').write(code + 'x')", "len(code.strip())"),
    ],
)
def test_a_text_may_be_measured_parsed_and_logged(text):
    assert reason(TEXT, text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bytes(code, 'utf-8')", "`bytes` gets its text"),
        ("compile(code, 'x', 'exec')", "what it runs may read this file as text"),
        ("keep = code.join", "`.join` of its text"),
        ("len((code + 'x').encode())", "goes where it cannot be followed"),
        ("len(code.strip().encode())", "goes where it cannot be followed"),
        ("hash(code[:3])", "`hash` gets a text made of its own"),
        ("[code]", "goes where it cannot be followed"),
        ("len(f'{code}'.upper())", "goes where it cannot be followed"),
    ],
)
def test_anything_else_is_refused(text, said):
    found = reason(TEXT, text)
    assert found is not None and said in str(found) and found.line == 3


@pytest.mark.parametrize(
    "text", ["len(data)", "hash(data)", "data[:3]", "open('x', 'wb').write(data)", "len(data.decode().encode())"]
)
def test_bytes_are_the_same_in_every_form(text):
    assert reason(BYTES, text) is None


@pytest.mark.parametrize(
    "text", ["str(data, 'utf-8')", "codecs.decode(data)", "io.TextIOWrapper(data)", "(data or b'').decode()"]
)
def test_bytes_that_become_text_unseen_are_refused(text):
    found = reason(BYTES, text)
    assert found is not None and "its bytes are decoded" in str(found)


def test_bytes_of_this_or_another_file_are_not_decoded():
    head = "import os\npath = __file__\nif os.sep: path = 'x'\ndata = open(path, 'rb').read()\n"
    assert reason(head, "len(data)") is None and reason(head, "data.decode()") is not None
