"""Attributes and fields of records that nothing reads are not stored; what a library reads is."""

import pytest
from optimizing import MAIN, after, same

from pgolf.bundle.passes.dead_fields import DEAD_FIELDS

ARUN, CALL = "def main():\n    a = A(1)\n", MAIN + "    main()\n"
CLASS = "class A:\n    def __init__(self, x): self.kept_as, self.used_as = x, 3\n"


def test_an_unread_attribute_goes():
    text = CLASS + MAIN + "    print(A(1).used_as)\n"
    assert after(text, DEAD_FIELDS) == same(text.replace("self.kept_as, self.used_as = x, 3", "self.used_as = 3"))


@pytest.mark.parametrize(
    "code",
    [
        CLASS + ARUN + "    print(a.used_as, a.kept_as)\n" + CALL,
        CLASS + ARUN + "    a.kept_as += 1\n    print(a.used_as)\n" + CALL,
        CLASS + ARUN + "    a.kept_as = [2]\n    print(a.used_as)\n" + CALL,
        CLASS + ARUN + "    del a.kept_as\n    print(a.used_as)\n" + CALL,
        CLASS + ARUN + "    print(a.used_as, getattr(a, 'kept_as'))\n" + CALL,
        CLASS + ARUN + "    print(a.used_as, vars(a))\n" + CALL,
        CLASS + ARUN + "    print('{0.kept_as}'.format(a), a.used_as)\n" + CALL,
        CLASS.replace("= x, 3", "= print(x), 3") + MAIN + "    print(A(1).used_as)\n",
        CLASS.replace("kept_as", "delimiter") + MAIN + "    print(A(1).used_as)\n",
        CLASS.replace("class A", "class A(Exception)") + MAIN + "    print(A(1).used_as)\n",
        CLASS + "    def drop(self): self.kept_as = [1].pop()\n" + MAIN + "    print(A(1).used_as)\n",
        "import copy\nclass A:\n    __slots__ = ('kept_as',)\n    def __init__(self): self.kept_as = 1\n"
        + MAIN
        + "    print(A.__slots__)\n",
    ],
)
def test_what_somebody_reads_stays(code):
    assert after(code, DEAD_FIELDS) == same(code)


def test_a_library_reads_attributes_of_its_arguments():
    text = (
        "import csv, sys\nclass Semi(csv.excel):\n    def __init__(self):\n        self.delimiter = ';'\n"
        "        self.lineterminator = '!'\n" + MAIN + "    csv.writer(sys.stdout, dialect=Semi()).writerow([1, 2])\n"
    )
    assert after(text, DEAD_FIELDS) == same(text)


RECORDS = """
from typing import NamedTuple
class Settings(NamedTuple):
    depth: int
    label: str
    width: int = 3
class Program(NamedTuple):
    first: object
    second: object
SETTINGS = Settings(depth=4, label='a')
def make_program():
    return Program(first=print, second=print('made'))
"""


def test_fields_of_the_records_that_nothing_reads_go():
    text = (
        RECORDS + "def main(settings, program): print(settings.depth)\n" + MAIN + "    main(SETTINGS, make_program())\n"
    )
    found = after(text, DEAD_FIELDS)
    assert "Settings(depth=4)" in found and "Program(second=print('made'))" in found
    assert "label" not in found and "width" not in found and "first" not in found


@pytest.mark.parametrize(
    "line", ["print(other.label)", "print('{0.label}'.format(settings))", "print(getattr(settings, 'label'))"]
)
def test_a_field_whose_name_is_used_anywhere_stays(line):
    code = f"def main(settings, program, other): {line}\n" + MAIN + "    main(SETTINGS, make_program(), SETTINGS)\n"
    assert "label: str" in after(RECORDS + code, DEAD_FIELDS)
