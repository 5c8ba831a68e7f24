"""Which Pythons read a text."""

import pytest

from pgolf.wrappers.versions import parse


@pytest.mark.parametrize("text", ["type X = int\n", "def f[T](x: T): pass\n", "class A[T]: pass\n"])
def test_type_parameters_need_3_12(text):
    found = parse(text)
    assert found.accepts["3.11"] is False and found.accepts["3.13"] is not False


def test_text_that_no_version_reads():
    found = parse("def f(:\n")
    assert found.tree is None and not any(found.accepts.values()) and found.error.startswith("line 1")
