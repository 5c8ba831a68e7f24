"""What becomes of a script's text before it is executed."""

import ast
from pathlib import Path

import pytest

from pgolf.probe.inside.rewritten import KEEP, PERCENT, rewritten

HERE = Path("/work/.scratch")


def shown(text):
    return ast.unparse(rewritten(text, HERE))


def test_calls_of_float_keep_scores():
    text = shown("x: float = float(y) + np.float64(z)\nfloat('1', 2)\n")
    assert text == f"x: float = {KEEP}(y) + {KEEP}(z)\nfloat('1', 2)"


def test_texts_report_what_they_are_filled_with():
    assert shown("'%.4f' % loss\n5 % 3\n") == f"{PERCENT}('%.4f', loss)\n5 % 3"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'/tmp/counter'", "'/work/.scratch/counter'"),
        ("f'/tmp/counter_{run}'", "f'/work/.scratch/counter_{run}'"),
        ("'gcc -o /dev/shm/a.so /tmp/a.c'", "'gcc -o /work/.scratch/a.so /work/.scratch/a.c'"),
        ("'/tmp'", "'/work/.scratch'"),
        ("'/data/tmp/x'", "'/data/tmp/x'"),
        ("'/tmpfs'", "'/tmpfs'"),
        ("'a/tmp.b'", "'a/tmp.b'"),
    ],
)
def test_folders_that_all_share_are_its_own(before, after):
    assert shown(f"x = {before}") == f"x = {after}"
