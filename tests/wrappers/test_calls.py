"""Where a module executes text, and the ways that cannot be followed."""

import pytest
from packed_texts import FORMS, INNER, read_back


def test_what_is_executed_and_not_a_literal_is_said():
    assert read_back("import os\ncode = os.environ['CODE']\nexec(code)\n").opaque.startswith("line 3")
    assert read_back("import sys\nexec(sys.stdin.read())\n").opaque.startswith("line 2")


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


def test_a_path_that_is_run():
    read = {"inner.py": INNER.encode()}.__getitem__
    assert read_back("import runpy\nrunpy.run_path('inner.py')\n", read).text == INNER
