"""Minifying: smaller, and provably the same program up to names."""

import ast
import re

import pytest
from test_hostile_programs import check as check_program

from pgolf.bundle.link import Flat, Owned
from pgolf.bundle.minify import minify as minify_module
from pgolf.bundle.minify.minify import minify
from pgolf.bundle.minify.strip import strip
from pgolf.errors import PgolfError

TEXT = '''
import math
from typing import NamedTuple
LIMIT = 3
class Record(NamedTuple):
    """Doc."""
    width: int
    height: int = 2
class Thing:
    size: int = 1
    def __init__(self, width, *rest, key=None, **more):
        """Doc."""
        assert width, "no"
        self.width = width
        self.rest = [item for item in rest if isinstance(item, int)]
    @property
    def area(self):
        pass
        return self.width * LIMIT
    @staticmethod
    def helper(value, other):
        return value + other + value
def work(number, other=1):
    "Doc."
    try:
        total = sum(math.sqrt(index) for index in range(number) if isinstance(index, int))
    except ValueError as error:
        raise KeyError(str(error)) from error
    finally:
        pass
    inner = lambda value, key=2: value + total + other + key
    return inner(number, key=3), Record(width=number), isinstance(total, float)
if __name__ == '__main__':
    print(work(number=LIMIT), Thing(3, 1, 2, key=None).area, Thing.helper(1, other=2))
'''


def flat(text):
    return Flat(tuple(Owned(f"m{index}", node) for index, node in enumerate(ast.parse(text).body)))


def test_the_text_is_shorter_and_does_the_same(run_file):
    minified = minify(flat(TEXT))
    assert len(minified.text) < 0.65 * len(TEXT)
    short, long = run_file(minified.text), run_file(TEXT)
    # A record that is printed whole shows the short names of its class and fields.
    assert short.partition("=3")[2].partition(")")[2] == long.partition("=3")[2].partition(")")[2] != ""


def test_documentation_and_assertions_go_and_fields_share_one_annotation():
    text = minify(flat(TEXT)).text
    assert "Doc" not in text and "assert" not in text
    fields = re.search(r"class \w+\((\w+)\):(\w+):(\w+);(\w+):(\w+)=2\n", text)
    assert fields is not None and fields[1] == fields[3] == fields[5]


def test_pieces_join_to_the_text_and_keep_their_owners():
    text = TEXT.replace("import math\nfrom typing", "from typing")
    minified = minify(flat(text.replace("math.sqrt", "abs")))
    assert "".join(piece for _, piece in minified.segments) == minified.text
    owners = [owner for owner, _ in minified.segments]
    assert owners == ["m0", "m1", "m2", "m3", "m4", "m5"]
    by_owner = dict(minified.segments)
    assert "property" in by_owner["m3"] and "__main__" in by_owner["m5"] and "3" in by_owner["m1"]


def test_a_script_with_a_docstring_can_be_minified_alone():
    minified = minify(flat('"""Doc."""\nimport os\n"text"\nprint(os.sep)\n'))
    assert [owner for owner, _ in minified.segments] == ["m1", "m3"] and "Doc" not in minified.text


def test_names_in_kernels_stay():
    text = minify(flat(
        "import triton\nimport triton.language as tl\nWIDTH = 3\n"
        "@triton.jit\ndef kernel(pointer, BLOCK: tl.constexpr):\n    for index in range(BLOCK):\n        total = WIDTH\n"
        "def run(pointer):\n    for index in range(3):\n        kernel(pointer, BLOCK=index)\n    return range(2)\n"
        "if __name__ == '__main__':\n    run(1)\n"
    )).text  # fmt: skip
    assert "(pointer,BLOCK:tl.constexpr)" in text and "for index in range(BLOCK):total=WIDTH" in text


def test_texts_with_tabs_keep_them(run_file):
    text = "def f():\n    return 'a\\n\\tb\\n\\t\\tc' + '\t'\nif __name__ == '__main__':\n    print(f())\n"
    assert run_file(minify(flat(text)).text) == run_file(text)


def test_stripping_leaves_valid_statements():
    text = "def f():\n    try:\n        pass\n    finally:\n        assert 1\n"
    text += "    while 1:\n        'x'\n    else:\n        pass\n    return None"
    assert "".join(ast.unparse(strip(ast.parse(text))).split()) == "deff():try:0finally:0while1:0"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("*", "+", 1),
        lambda text: text.rsplit("\n", 2)[0],
        lambda text: text.replace("=3", "=4", 1),
        lambda text: text.replace("isinstance", "issubclass", 1),
        lambda text: text.replace("key=", "kex=", 1),
        lambda text: text + "(",
    ],
)
def test_a_wrong_minifier_is_caught(monkeypatch, damage):
    write = minify_module.write
    whole = ast.parse(TEXT)
    assert damage(write(whole)) != write(whole)
    monkeypatch.setattr(minify_module, "write", lambda tree: damage(write(tree)))
    with pytest.raises(PgolfError) as caught:
        minify(flat(TEXT))
    assert caught.value.code == "PG401"


def test_minifying_does_not_slow_down_later_copies():
    # python-minifier leaves attributes on nodes that all trees share; copies must not follow them.
    sizes = [len(minify(flat(TEXT)).text) for _ in range(3)]
    assert len(set(sizes)) == 1


SHOWN = """
from enum import Enum
from typing import NamedTuple
class Wrong(ValueError): pass
class Mode(Enum):
    TRAIN = 1
class Pair(NamedTuple):
    left_k: int
def main():
    try: raise Wrong("no")
    except Wrong as error: print(repr(error), Mode.TRAIN, str(Mode.TRAIN), Mode["TRAIN"].name)
    print(repr(Pair(1)).partition("(")[0])
"""


def test_names_of_classes_that_are_printed_stay():
    check_program(SHOWN)
