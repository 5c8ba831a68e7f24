"""Texts come out of the braces of f-strings, and what is printed stays the same."""

import ast

import pytest

from pgolf.bundle.fstrings import has_text, without_nested_texts
from pgolf.bundle.trees import walk

SETUP = """
class Noisy:
    def __init__(self): self.values = [1, 2, 3]
    def __str__(self): return str(self.values)
    def __format__(self, spec): return f"<{spec}|{self.values}>"
table = {"a": "x{y}", b"b": 2, "it's": 3, "w": 6}
noisy = Noisy()
"""


def moved(text):
    """(the module without texts in braces, those that are left)"""
    tree = without_nested_texts(ast.parse(text))
    ast.fix_missing_locations(tree)
    return tree, [node for node in walk(tree) if isinstance(node, ast.FormattedValue) and has_text(node)]


@pytest.mark.parametrize(
    "text",
    [
        """f"{table['a']}" """,
        """f"{{{table['a']}}} {table['a']!r:>9} {table[b'b']:03d} {{}}" """,
        """f"{table['a']=}" """,
        """f"{noisy} {noisy.values.pop() + table[b'b']} {noisy:{table['w']}} {noisy!s}" """,
        """f"{', '.join(f'{key!r}={table[key]!a}' for key in table)}" """,
        """f"{1.5:{'>'}9}{1.5:{table['w']}.2f}{1.5:x{'>9'}}"[:3] if False else "" """,
        """f"{(lambda x: x + 'q')('a')}" "tail" f"{len('a')}" """,
        """f"{noisy:{noisy.values.pop() or 'a'}}" """,
    ],
)
def test_the_text_is_the_same(text):
    tree, left = moved(f"{SETUP}shown = {text}")
    assert not left
    names = [{}, {}]
    exec(f"{SETUP}shown = {text}", names[0])
    exec(compile(tree, "moved", "exec"), names[1])
    assert names[0]["shown"] == names[1]["shown"]
    exec(ast.unparse(tree), names[1])
    assert names[0]["shown"] == names[1]["shown"]


def test_what_would_be_written_out_too_late_stays():
    assert moved("""f"{1.5:{table['w']}.{table[b'b']}f}" """)[1]


def test_an_f_string_without_texts_stays_as_it_is():
    text = "shown = f'{noisy!r:>{width}} {{}} {1:.{width}f}'"
    assert ast.unparse(moved(text)[0]) == text
