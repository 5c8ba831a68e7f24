"""f-strings of Python 3.12 run on an older one, and say the same."""

import ast
import sys

import pytest

from pgolf.probe.older_strings import Untold, older, runnable
from pgolf.wrappers.fstrings import newer

VALUES = "d = {'a': 3.14159, 'it\\'s': b'x'}\na, w = ['p', 'q'], {'n': 8}\n"
# the line -> what x is with these values.
SAID = {
    """x = f"{d["a"]}"\n""": "3.14159",
    """x = f"{d["a"]:.2f} and {d['a']!r:>{w["n"]}}|"\n""": "3.14 and  3.14159|",
    """x = f"{'\\n'.join(a)}"\n""": "p\nq",
    """x = f'''{f'{d['a']:.{w['n'] // 4}f}!'}'''\n""": "3.14!",
    """x = f"{f"{f"{1}{{"}"}" "side" f'{1}'\n""": "1{side1",
    """x = f"{w["n"]}\\t{ {"k": a}["k"][0]}"\n""": "8\tp",
    """x = rf"\\d{d["it's"].decode("ascii")}"\n""": "\\dx",
    """x = f"{(lambda y="z": y)()}{a[0] if "p" in a else "no"}"\n""": "zp",
    """x = f"{"a" "b" f"{a[1]}"}{'é\\u2581'!a}"\n""": "abq'\\xe9\\u2581'",
}


@pytest.mark.parametrize("line", SAID)
def test_the_older_form_says_the_same(line):
    text = older(line)
    assert newer(line) and not newer(text)
    values = {}
    exec(compile(VALUES + text, "older", "exec"), values)
    assert values["x"] == SAID[line]


def test_no_line_moves():
    text = older('x = f"{d[\n"a"  # its own\n]:.1f}"\ny = 1\n')
    assert ast.parse(text).body[1].lineno == 4


def test_what_shows_its_own_source_stays():
    with pytest.raises(Untold):
        older("""x = f"{d["a"]=}"\n""")
    if sys.version_info < (3, 12):
        with pytest.raises(SyntaxError):
            runnable("""x = f"{d["a"]=}"\n""")


def test_other_texts_stay():
    assert runnable("""x = f"{d['a']}"\n""") == """x = f"{d['a']}"\n"""
    assert ast.parse(runnable("""x = f"{d["a"]}"\n"""))
    with pytest.raises(SyntaxError):
        runnable("x = (\n")
