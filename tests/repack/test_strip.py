"""What nothing reads is dropped, and nothing else."""

import ast

from pgolf.repack.evidence import ANNOTATIONS, LITERALS, Evidence
from pgolf.repack.strip import strip

TEXT = """'''Docs.'''
from __future__ import annotations
class A:
    '''Docs.'''
    field: int = 1
    def f(self, x: int, *a: str, k: float = 1.0) -> int:
        '''Docs.'''
        value: int = x
        later: int
        return value
def g(): 'only'
"""


def stripped(*reasons):
    evidence = Evidence()
    evidence.add(ast.Pass(), "why", *reasons)
    return ast.unparse(strip(ast.parse(TEXT), evidence))


def test_docstrings_and_annotations_go_and_fields_stay():
    found = stripped()
    assert "Docs" not in found and "only" not in found and "field: int = 1" in found and "later: int" in found
    assert "def f(self, x, *a, k=1.0):" in found and "value = x" in found and "def g():\n    0" in found


def test_what_is_forbidden_stays():
    assert stripped(LITERALS).count("Docs") == 3 and "x: int" not in stripped(LITERALS)
    assert "x: int, *a: str, k: float=1.0) -> int" in stripped(ANNOTATIONS) and "Docs" not in stripped(ANNOTATIONS)
